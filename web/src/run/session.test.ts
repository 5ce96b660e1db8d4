// The life of a run, with the daemon, the room, the clock and the frame played by the test.
import { beforeEach, describe, expect, it } from 'vitest';
import { Refusal, type Input, type Program } from '../api/client';
import type { Listener } from '../api/follow';
import type { JobStatus, Limits } from '../api/types';
import type { RunPiece, RunRecord } from '../room/roomFrame';
import { buttonMode } from './buttonMode';
import { chipOf, notesOf, titleOf } from './outcome';
import { codeHash } from './codeHash';
import { Session, type Run } from './session';
import { activeRun } from './sessionState';

const LIMITS: Limits = {
    codeBytes: 5120,
    stdinBytes: 5120,
    outputBytes: 10240,
    runMs: 5000,
    inputMs: 30000,
    memoryBytes: 134217728,
    runsPerMinute: 10,
    queueMax: 100,
};

const JOB = 'job-1';

function statusOf(part: Partial<JobStatus>): JobStatus {
    return { jobId: JOB, status: 'completed', ...part };
}

class World {
    now = 1_000_000;
    sent: Program[] = [];
    cancelled: string[] = [];
    given: Input[] = [];
    giveAnswer: () => Promise<void> = () => Promise.resolve();
    answer: () => Promise<string> = () => Promise.resolve(JOB);
    cancelAnswer: () => Promise<void> = () => Promise.resolve();
    listener: Listener | null = null;
    remembered: readonly string[] = [];
    isRoomLive = true;
    troubles = 0;
    private frames: (() => void)[] = [];

    readonly session = new Session({
        execute: (program) => {
            this.sent.push(program);
            return this.answer();
        },
        cancel: (jobId) => {
            this.cancelled.push(jobId);
            return this.cancelAnswer();
        },
        giveInput: (_jobId, input) => {
            this.given.push(input);
            return this.giveAnswer();
        },
        follow: (_jobId, listener) => {
            this.listener = listener;
            return () => undefined;
        },
        limits: () => LIMITS,
        name: () => 'Ada',
        isRoomLive: () => this.isRoomLive,
        now: () => this.now,
        nextFrame: (callback) => this.frames.push(callback),
        remember: (jobIds) => {
            this.remembered = jobIds;
        },
        onTrouble: () => {
            this.troubles += 1;
        },
    });

    paint(): void {
        for (const frame of this.frames.splice(0)) {
            frame();
        }
    }

    get last(): Run {
        return this.session.state.get().runs.at(-1)!;
    }

    get mode(): ReturnType<typeof buttonMode> {
        return buttonMode(this.session.state.get(), 'ready', this.now);
    }

    get text(): string {
        return this.last.lines.map((line) => line.map((span) => span.text).join('')).join('\n');
    }
}

let world: World;
let on: Listener;

async function start(program: Program = { code: 'print(1)' }): Promise<void> {
    await world.session.run(program);
    on = world.listener!;
}

beforeEach(() => {
    world = new World();
});

describe('a run', () => {
    it('goes through queue, output and end', async () => {
        await start();
        expect(world.mode).toEqual({ kind: 'queued', position: null });
        on.onStatus(statusOf({ status: 'queued', position: 3 }));
        expect(world.mode).toEqual({ kind: 'queued', position: 3 });
        on.onStatus(statusOf({ status: 'running' }));
        world.now += 2_400;
        expect(world.mode).toEqual({ kind: 'running', seconds: 2, by: null });
        on.onOutput({ stream: 'stdout', text: 'one\n' });
        on.onOutput({ stream: 'stdout', text: 'two\n' });
        expect(world.text).toBe('');
        world.paint();
        expect(world.text).toBe('one\ntwo');
        on.onOutput({ stream: 'stdout', text: 'three\n' });
        on.onEnd(statusOf({ wallMs: 310 }));
        expect(world.text).toBe('one\ntwo\nthree');
        expect(chipOf(world.last).word).toBe('Done');
        expect(world.mode).toEqual({ kind: 'idle' });
        expect(world.session.state.get().announcement).toBe('Run by you: Done');
    });

    it('is the only one at a time', async () => {
        await start();
        await world.session.run({ code: 'print(2)' });
        expect(world.sent).toHaveLength(1);
    });

    it('is shown anew after a reset', async () => {
        await start();
        on.onOutput({ stream: 'stdout', text: 'first attempt\n' });
        on.onReset();
        on.onOutput({ stream: 'stdout', text: 'second attempt\n' });
        world.paint();
        expect(world.text).toBe('second attempt');
    });

    it('is lost when the daemon forgot it', async () => {
        await start();
        on.onLost();
        expect(chipOf(world.last).word).toBe('Lost');
        expect(activeRun(world.session.state.get())).toBeNull();
    });

    it('knows the failing line', async () => {
        await start();
        const text = '  File "/tmp/main.py", line 4, in <module>\nZeroDivisionError: no\n';
        on.onOutput({ stream: 'stderr', text: `Traceback (most recent call last):\n${text}` });
        on.onEnd(statusOf({ status: 'failed', exitCode: 1 }));
        expect(world.last.failure?.line).toBe(4);
        expect(world.session.state.get().announcement).toBe('Run by you: Error, line 4');
    });

    it('is known as our own again after a reload', async () => {
        await start();
        expect(world.remembered).toEqual([JOB]);
    });
});

const START = { jobId: JOB, by: 'Grace', at: 77, codeHash: codeHash('print(1)') };

function piece(text: string, offset: number): RunPiece {
    return { stream: 'stdout', text, offset };
}

function record(part: Partial<RunRecord>): RunRecord {
    return { ...START, output: [], state: null, isWaiting: false, status: null, ...part };
}

describe('a run that the room tells', () => {
    const tell = (text: string, offset: number): void =>
        world.session.onFrame({ run: 'output', jobId: JOB, ...piece(text, offset) });
    const begin = (): void => world.session.onFrame({ run: 'start', ...START });
    const end = (): void =>
        world.session.onFrame({ run: 'end', jobId: JOB, status: statusOf({ wallMs: 5 }) });

    it('is shown with who ran it, from beginning to end', async () => {
        begin();
        expect(titleOf(world.last)).toBe('Run by Grace');
        expect(world.last).toMatchObject({ at: 77, isOwn: false, codeHash: START.codeHash });
        expect(world.session.state.get().announcement).toBe('Run by Grace started');
        expect(world.mode).toEqual({ kind: 'running', seconds: 0, by: 'Grace' });
        await world.session.run({ code: 'print(2)' });
        expect(world.sent).toHaveLength(0);
        tell('one\n', 0);
        tell('two\n', 4);
        end();
        expect(world.text).toBe('one\ntwo');
        expect(world.session.state.get().announcement).toBe('Run by Grace: Done');
        expect(world.mode).toEqual({ kind: 'idle' });
    });

    it('has no name when nobody gave one', () => {
        world.session.onFrame({ run: 'start', ...START, by: null });
        expect(titleOf(world.last)).toBe('Run');
    });

    it('shows each byte once, whatever is said twice', () => {
        begin();
        tell('zwölf\n', 0);
        tell('zwölf\n', 0);
        tell('f\ndreizehn\n', 5);
        tell('ölf\n', 2);
        world.paint();
        expect(world.text).toBe('zwölf\ndreizehn');
        end();
        end();
        tell('late\n', 15);
        expect(world.text).toBe('zwölf\ndreizehn');
    });

    it('starts anew when it is told so', () => {
        begin();
        tell('first attempt\n', 0);
        begin();
        tell('second\n', 0);
        end();
        begin();
        expect(world.text).toBe('second');
        expect(world.session.state.get().runs).toHaveLength(1);
        expect(chipOf(world.last).word).toBe('Done');
    });

    it('may be stopped by anybody', async () => {
        begin();
        await world.session.stop();
        expect(world.cancelled).toEqual([JOB]);
        expect(world.mode.kind).toBe('stopping');
    });

    it('is lost when the daemon knows nothing to stop', async () => {
        begin();
        world.cancelAnswer = () => Promise.reject(new Refusal('not_found', '', 404));
        await world.session.stop();
        expect(chipOf(world.last).word).toBe('Lost');
    });

    it('is our own when we have sent it, in either order', async () => {
        await start();
        expect(titleOf(world.last)).toBe('Run by you');
        on.onOutput({ stream: 'stdout', text: 'hel' });
        begin();
        expect(world.last).toMatchObject({ isOwn: true, at: 77, phase: 'queued' });
        on.onStatus(statusOf({ status: 'queued', position: 2 }));
        expect(world.mode).toEqual({ kind: 'queued', position: 2 });
        tell('hello\n', 0);
        on.onOutput({ stream: 'stdout', text: 'lo\n' });
        expect(world.mode.kind).toBe('running');
        on.onEnd(statusOf({}));
        expect(world.last.phase).toBe('running');
        end();
        expect(world.text).toBe('hello');
        expect(world.session.state.get().runs).toHaveLength(1);

        world = new World();
        world.answer = () => {
            begin();
            return Promise.resolve(JOB);
        };
        await start({ code: 'print(1)', stdin: '' });
        expect(world.last).toMatchObject({ isOwn: true, phase: 'queued' });
        expect(world.session.state.get().runs).toHaveLength(1);
    });

    it('takes its place in the order of the room', async () => {
        await start();
        world.session.onFrame({ run: 'start', ...START, jobId: 'theirs' });
        begin();
        const order = world.session.state.get().runs.map(({ jobId }) => jobId);
        expect(order).toEqual(['theirs', JOB]);
    });

    it('ends with the stream when the room is out of reach, and is completed later', async () => {
        await start();
        begin();
        tell('one\n', 0);
        world.isRoomLive = false;
        on.onEnd(statusOf({}));
        expect(world.text).toBe('one');
        expect(chipOf(world.last).word).toBe('Done');
        const output = [piece('one\n', 0), piece('two\n', 4)];
        world.session.onFrame({
            run: 'history',
            runs: [record({ output, status: statusOf({}) })],
        });
        expect(world.text).toBe('one\ntwo');
    });
});

describe('the history of a room', () => {
    const history = (...runs: RunRecord[]): void =>
        world.session.onFrame({ run: 'history', runs });
    const ids = (): string[] => world.session.state.get().runs.map(({ jobId }) => jobId);

    it('shows what was before, and goes on with what goes on', () => {
        const ended = { jobId: 'a', output: [piece('old\n', 0)], status: statusOf({}) };
        history(record(ended), record({ output: [piece('one\n', 0)] }));
        expect(ids()).toEqual(['a', JOB]);
        expect(world.session.state.get().announcement).toBe('');
        expect(world.mode.kind).toBe('running');
        const more = { run: 'output', jobId: JOB, ...piece('two\n', 4) } as const;
        world.session.onFrame(more);
        world.session.onFrame({ run: 'end', jobId: JOB, status: statusOf({}) });
        expect(world.text).toBe('one\ntwo');
    });

    it('may be told again', () => {
        const runs = [
            record({ jobId: 'a', output: [piece('x\n', 0)], status: statusOf({}) }),
            record({ output: [piece('one\n', 0)] }),
        ];
        history(...runs);
        history(...runs);
        history(...runs.slice(1), record({ jobId: 'b', status: statusOf({}) }));
        expect(ids()).toEqual(['a', JOB, 'b']);
        world.paint();
        expect(world.session.state.get().runs[1]?.lines).toHaveLength(1);
    });

    it('replaces an earlier attempt that was missed starting anew', () => {
        history(record({ output: [piece('first attempt\n', 0)] }));
        history(record({ output: [piece('2nd\n', 0)] }));
        const more = { run: 'output', jobId: JOB, ...piece('end\n', 4) } as const;
        world.session.onFrame(more);
        world.paint();
        expect(world.text).toBe('2nd\nend');
    });

    it('puts our own run, of which it does not know yet, last', async () => {
        await start();
        history(record({ jobId: 'a', status: statusOf({}) }));
        expect(ids()).toEqual(['a', JOB]);
    });

    it('does not bring back what was cleared away', () => {
        const ended = record({ jobId: 'a', status: statusOf({}) });
        history(ended);
        world.session.clear();
        history(ended, record({}));
        expect(ids()).toEqual([JOB]);
    });

    it('keeps the last twenty', () => {
        const many = Array.from({ length: 25 }, (_, n) =>
            record({ jobId: `j${n}`, status: statusOf({}) }),
        );
        history(...many);
        expect(ids()).toHaveLength(20);
        expect(ids().at(-1)).toBe('j24');
    });
});

describe('live input', () => {
    const tell = (isWaiting: boolean): void =>
        world.session.onFrame({ run: 'waiting', jobId: JOB, isWaiting });

    it('is asked for, given once, and shown with the name', async () => {
        world.session.onFrame({ run: 'start', ...START });
        world.session.onFrame({ run: 'output', jobId: JOB, ...piece('name? ', 0) });
        tell(true);
        expect(chipOf(world.last).word).toBe('Waits for input');
        expect(world.session.state.get().announcement).toContain('waits for input');
        expect(await world.session.give(JOB, 'Kim\n')).toBe(true);
        expect(world.given).toEqual([{ data: 'Kim\n', end: false, by: 'Ada' }]);
        const input = { stream: 'stdin' as const, text: 'Kim\n', by: 'Ada', offset: 6 };
        world.session.onFrame({ run: 'output', jobId: JOB, ...input });
        tell(false);
        world.session.onFrame({ run: 'output', jobId: JOB, ...piece('hi Kim\n', 6) });
        world.paint();
        expect(world.text).toBe('name? Ada: Kim\nhi Kim');
        expect(chipOf(world.last).word).toBe('Running');
    });

    it('does not count as time of the run', () => {
        world.session.onFrame({ run: 'start', ...START });
        world.now += 1_000;
        tell(true);
        world.now += 20_000;
        expect(world.mode).toMatchObject({ kind: 'running', seconds: 1 });
        tell(false);
        world.now += 1_000;
        expect(world.mode).toMatchObject({ kind: 'running', seconds: 2 });
    });

    it('says when somebody else was faster, and when it is too much', async () => {
        world.session.onFrame({ run: 'start', ...START });
        tell(true);
        world.giveAnswer = () => Promise.reject(new Refusal('not_waiting', '', 409));
        expect(await world.session.give(JOB, 'x\n')).toBe(false);
        expect(world.session.state.get().refusal).toContain('faster');
        world.giveAnswer = () => Promise.reject(new Refusal('stdin_too_large', '', 413));
        await world.session.give(JOB, 'x\n');
        expect(world.session.state.get().refusal).toContain('5,120 bytes');
    });

    it('is in the history for who comes later, and ends with the run', () => {
        const given = { stream: 'stdin' as const, text: '1\n', by: null, offset: 0 };
        const runs = [record({ output: [given], isWaiting: true })];
        world.session.onFrame({ run: 'history', runs });
        expect(world.last.waitingSince).not.toBeNull();
        world.session.onFrame({ run: 'end', jobId: JOB, status: statusOf({}) });
        expect(world.last.waitingSince).toBeNull();
        expect(world.text).toBe('1');
    });

    it('that did not come has words of its own', async () => {
        await start();
        const error = { code: 'input_timeout' };
        on.onEnd(statusOf({ status: 'timed_out', error }));
        expect(chipOf(world.last).word).toBe('No input');
        expect(notesOf(world.last, LIMITS)[0]?.text).toContain('30 s');
    });
});

describe('stopping', () => {
    it('cancels and waits for the end', async () => {
        await start();
        on.onStatus(statusOf({ status: 'running' }));
        await world.session.stop();
        expect(world.cancelled).toEqual([JOB]);
        expect(world.mode).toEqual({ kind: 'stopping' });
        on.onStatus(statusOf({ status: 'running' }));
        expect(world.mode).toEqual({ kind: 'stopping' });
        on.onEnd(statusOf({ status: 'cancelled', startedAt: 1 }));
        expect(chipOf(world.last).word).toBe('Stopped');
    });

    it('says so and goes back when the daemon is not reached', async () => {
        await start();
        on.onStatus(statusOf({ status: 'running' }));
        world.cancelAnswer = () => Promise.reject(new Refusal('network', ''));
        await world.session.stop();
        expect(world.mode.kind).toBe('running');
        expect(world.session.state.get().refusal).toContain('Could not stop');
    });

    it('takes "already finished" for what it is', async () => {
        await start();
        world.cancelAnswer = () => Promise.reject(new Refusal('already_finished', '', 409));
        await world.session.stop();
        expect(world.session.state.get().refusal).toBeNull();
    });
});

describe('a refusal', () => {
    async function refused(refusal: Refusal): Promise<string | null> {
        world.answer = () => Promise.reject(refusal);
        await world.session.run({ code: 'print(1)' });
        return world.session.state.get().refusal;
    }

    it('counts down and then lets run', async () => {
        const says = await refused(new Refusal('rate_limited', '', 429, 7));
        expect(says).toContain('10 times this minute');
        expect(world.mode).toEqual({ kind: 'held', seconds: 7 });
        world.now += 6_001;
        expect(world.mode).toEqual({ kind: 'held', seconds: 1 });
        await world.session.run({ code: 'print(1)' });
        expect(world.sent).toHaveLength(1);
        world.now += 999;
        expect(world.mode).toEqual({ kind: 'idle' });
        world.answer = () => Promise.resolve(JOB);
        await world.session.run({ code: 'print(1)' });
        expect(world.sent).toHaveLength(2);
        expect(world.session.state.get().refusal).toBeNull();
    });

    it.each([
        [new Refusal('queue_full', '', 503), 'All 100 places'],
        [new Refusal('unavailable', '', 503), 'cannot take programs right now'],
        [new Refusal('outcome_unknown', '', 503), 'may have been accepted'],
        [new Refusal('network', ''), 'Could not reach the server'],
        [new Refusal('bad_request', 'code: not a string', 400), 'code: not a string'],
        [new Refusal('code_too_large', '', 413), 'larger than the server takes'],
    ])('%o is explained', async (refusal, words) => {
        expect(await refused(refusal)).toContain(words);
    });

    it('makes the page look after the daemon', async () => {
        await refused(new Refusal('network', ''));
        expect(world.troubles).toBe(1);
    });

    it('needs no request when the program is too large, to the byte', async () => {
        await world.session.run({ code: 'ü'.repeat(2560) });
        expect(world.sent).toHaveLength(1);
        on = world.listener!;
        on.onEnd(statusOf({}));
        await world.session.run({ code: `${'ü'.repeat(2560)}#` });
        expect(world.sent).toHaveLength(1);
        expect(world.session.state.get().refusal).toContain('has 5,121 bytes; 5,120 are');
    });
});

describe('the words of an end', () => {
    const cases: [Partial<JobStatus>, string, string[]][] = [
        [{ status: 'completed' }, 'Done', []],
        [{ status: 'failed', exitCode: 3 }, 'Exit 3', ['Ended with exit code 3.']],
        [
            { status: 'failed', signal: 'SIGSEGV' },
            'Crashed',
            ['Ended by SIGSEGV: it touched memory that is not its own.'],
        ],
        [
            { status: 'failed', signal: 'SIGKILL', error: { code: 'output_limit' } },
            'Too much output',
            ['Stopped: it went on printing far past the output limit.'],
        ],
        [
            { status: 'timed_out' },
            'Time limit',
            ['Stopped after 5 s: the time limit. Output so far is kept.'],
        ],
        [
            { status: 'out_of_memory' },
            'Out of memory',
            ['Stopped: used more than 128 MB of memory.'],
        ],
        [{ status: 'cancelled' }, 'Stopped', ['Given up before it started.']],
        [
            { status: 'error', error: { code: 'engine', message: 'Docker is away.' } },
            'Server error',
            ['The server could not finish this run. Docker is away.'],
        ],
        [
            { status: 'completed', truncated: true, droppedBytes: 1258291 },
            'Done',
            ['Output cut at 10 KB: 1.2 MB more was not kept.'],
        ],
    ];

    it.each(cases)('%o', async (status, word, notes) => {
        await start();
        on.onEnd(statusOf(status));
        expect(chipOf(world.last).word).toBe(word);
        expect(notesOf(world.last, LIMITS).map((note) => note.text)).toEqual(notes);
    });
});

describe('buttonMode', () => {
    it('follows the daemon when nothing runs', () => {
        const state = world.session.state.get();
        expect(buttonMode(state, 'connecting', 0).kind).toBe('idle');
        expect(buttonMode(state, 'offline', 0).kind).toBe('offline');
        expect(buttonMode(state, 'unready', 0).kind).toBe('unavailable');
    });
});

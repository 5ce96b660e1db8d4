// The runs of the room: starts one, shows all, stops one, and keeps what to show of them. One run
// at a time; the console keeps the last few.
//
// The daemon tells everybody in the room what runs, in the same order. This page's own run is
// followed over its event stream too: that knows the place in the queue, and it shows the run alone
// while the room is out of reach. Once the room has told a run, its output comes from there only.
//
// Every change makes new Run objects, so views compare by identity. Output is gathered and shown
// once a frame; everything else is shown at once.
import { Refusal, type Input, type Program } from '../api/client';
import type { Listener } from '../api/follow';
import { isEnd, type JobStatus, type Limits } from '../api/types';
import type { Line } from '../console/terminal';
import { failureOf, type Failure } from '../console/trace';
import type { RunFrame, RunPiece, RunRecord, RunStart, RunState } from '../room/roomFrame';
import { Store } from '../store';
import { strings } from '../strings';
import { codeHash } from './codeHash';
import { Feed } from './feed';
import { chipOf, titleOf } from './outcome';
import { activeRun, isActive, NO_RUNS } from './sessionState';

/** Runs kept in the console. */
const RUNS_MAX = 20;

export type Phase = 'queued' | 'running' | 'stopping' | 'ended' | 'lost';

export interface Run {
    jobId: string;
    /** Who ran it; null when nobody said. */
    by: string | null;
    isOwn: boolean;
    /** Tells whether a text is the one that ran. */
    codeHash: string;
    /** When it was accepted, by the clock of whoever told. */
    at: number;
    phase: Phase;
    /** Place in the queue, 1 = next. */
    position: number | null;
    /** When it was first seen running, by this browser's clock. */
    runningSince: number | null;
    /** Since when it waits for input, by this browser's clock; null: it does not. */
    waitingSince: number | null;
    /** How long it waited for input before that. */
    waitedMs: number;
    lines: readonly Line[];
    /** How it ended; null before. */
    status: JobStatus | null;
    failure: Failure | null;
}

export interface SessionState {
    runs: readonly Run[];
    isSending: boolean;
    /** Whether the stream of the active run is up. */
    isLinked: boolean;
    /** Why the last run was not taken, as a sentence. */
    refusal: string | null;
    /** The next run is not taken before this time; 0 = at once. */
    heldUntil: number;
    /** The last event worth saying aloud. */
    announcement: string;
}

/** What a session needs of the world; tests bring their own. */
export interface Ports {
    execute(program: Program): Promise<string>;
    cancel(jobId: string): Promise<void>;
    giveInput(jobId: string, input: Input): Promise<void>;
    follow(jobId: string, listener: Listener): () => void;
    limits(): Limits | null;
    /** Of the person at this page. */
    name(): string;
    /** Whether the room tells what happens. */
    isRoomLive(): boolean;
    now(): number;
    /** Calls back before the next frame is painted. */
    nextFrame(callback: () => void): void;
    /** Remembers which runs are this page's own, across a reload of this tab. */
    remember(jobIds: readonly string[]): void;
    /** The daemon may be away: look. */
    onTrouble(): void;
}

const encoder = new TextEncoder();

function tooLarge(program: Program, limits: Limits | null): string | null {
    if (limits === null) {
        return null;
    }
    const codeBytes = encoder.encode(program.code).length;
    if (codeBytes > limits.codeBytes) {
        return strings.refusal.codeTooLarge(codeBytes, limits);
    }
    const stdinBytes = encoder.encode(program.stdin ?? '').length;
    return stdinBytes > limits.stdinBytes
        ? strings.refusal.stdinTooLarge(stdinBytes, limits)
        : null;
}

function sentenceOf(refusal: Refusal, limits: Limits | null): string {
    switch (refusal.code) {
        case 'network':
            return strings.refusal.network;
        case 'rate_limited':
            return strings.refusal.rateLimited(limits);
        case 'queue_full':
            return strings.refusal.queueFull(limits);
        case 'code_too_large':
            return strings.refusal.codeTooLargeUnknown;
        case 'outcome_unknown':
            return strings.refusal.outcomeUnknown;
        default:
            return refusal.status === 503
                ? strings.refusal.unavailable
                : strings.refusal.other(refusal.message);
    }
}

function inputSentenceOf(error: unknown, limits: Limits | null): string {
    const refusal = error instanceof Refusal ? error : new Refusal('unknown', String(error));
    switch (refusal.code) {
        case 'not_waiting':
            return strings.refusal.notWaiting;
        case 'stdin_too_large':
            return strings.refusal.inputTooLarge(limits);
        default:
            return sentenceOf(refusal, limits);
    }
}

export class Session {
    private readonly feeds = new Map<string, Feed>();
    /** Wiped off the console; not shown again when the room tells its history. */
    private readonly cleared = new Set<string>();
    private readonly own: Set<string>;

    constructor(
        private readonly ports: Ports,
        own: readonly string[] = [],
        readonly state = new Store(NO_RUNS),
    ) {
        this.own = new Set(own);
    }

    /** Sends the program unless a run is on its way, active or not due yet. */
    async run(program: Program): Promise<void> {
        const before = this.state.get();
        if (before.isSending || activeRun(before) || this.ports.now() < before.heldUntil) {
            return;
        }
        const sentence = tooLarge(program, this.ports.limits());
        if (sentence !== null) {
            this.refuse(sentence);
            return;
        }
        this.patch({ isSending: true, refusal: null, heldUntil: 0 });
        try {
            const jobId = await this.ports.execute(program);
            this.patch({ isSending: false });
            this.onAccepted(jobId, program);
        } catch (error) {
            this.patch({ isSending: false });
            this.onRefused(error);
        }
    }

    /** What the room says of its runs. */
    onFrame(frame: RunFrame): void {
        switch (frame.run) {
            case 'start':
                this.onRoomStart(frame);
                break;
            case 'output':
                this.onRoomOutput(frame.jobId, frame);
                break;
            case 'state':
                this.onStatus(frame.jobId, frame.state);
                break;
            case 'waiting':
                this.onWaiting(frame.jobId, frame.isWaiting);
                break;
            case 'end':
                this.onEnd(frame.jobId, frame.status);
                break;
            case 'history':
                this.onHistory(frame.runs);
                break;
        }
    }

    async stop(): Promise<void> {
        const run = activeRun(this.state.get());
        if (run === null || run.phase === 'stopping') {
            return;
        }
        this.change(run.jobId, { phase: 'stopping' });
        try {
            await this.ports.cancel(run.jobId);
        } catch (error) {
            // 409 means that it has ended, and the end is on its way; of 404 there is no end.
            if (error instanceof Refusal && (error.status === 404 || error.status === 409)) {
                if (error.status === 404) {
                    this.onLost(run.jobId);
                }
                return;
            }
            if (activeRun(this.state.get())?.jobId === run.jobId) {
                this.change(run.jobId, { phase: run.phase });
                this.refuse(strings.refusal.cancel);
            }
        }
    }

    /** Gives a run that waits what it waits for; isLast: nothing follows. Whether it was taken. */
    async give(jobId: string, text: string, isLast = false): Promise<boolean> {
        try {
            const by = this.ports.name();
            await this.ports.giveInput(jobId, { data: text, end: isLast, by });
            this.patch({ refusal: null });
            return true;
        } catch (error) {
            this.refuse(inputSentenceOf(error, this.ports.limits()));
            return false;
        }
    }

    /** Empties the console of this page; an active run stays. */
    clear(): void {
        const { runs } = this.state.get();
        for (const { jobId } of runs.filter((run) => !isActive(run))) {
            this.cleared.add(jobId);
            this.feeds.delete(jobId);
        }
        this.patch({ runs: runs.filter(isActive), refusal: null });
    }

    // --- told by the room --------------------------------------------------------------------

    private onRoomStart(start: RunStart): void {
        const known = this.find(start.jobId);
        if (known && !isActive(known)) {
            return;
        }
        const feed = this.feedOf(start.jobId);
        if (known) {
            // Again: it starts anew, or the room now tells what only this page knew before.
            this.change(start.jobId, { at: start.at, by: start.by });
            if (!feed.isShared) {
                this.moveToEnd(start.jobId);
            }
        } else {
            this.add(this.runOf(start));
            this.announceStart(start.jobId);
        }
        feed.isShared = true;
        feed.clear();
        this.onWaiting(start.jobId, false);
    }

    /** The room's order holds for everybody. */
    private moveToEnd(jobId: string): void {
        const { runs } = this.state.get();
        const isIt = (run: Run): boolean => run.jobId === jobId;
        this.patch({ runs: [...runs.filter((run) => !isIt(run)), ...runs.filter(isIt)] });
    }

    private onRoomOutput(jobId: string, piece: RunPiece): void {
        if (isActive(this.find(jobId))) {
            this.started(jobId);
            this.feedOf(jobId).take(piece);
        }
    }

    /** All runs of the room, oldest first; what this page knows beyond it is older, or its own. */
    private onHistory(records: readonly RunRecord[]): void {
        const told = new Set(records.map(({ jobId }) => jobId));
        for (const record of records.filter(({ jobId }) => !this.cleared.has(jobId))) {
            this.onRecord(record);
        }
        const order = [...told];
        const rank = (run: Run): number => {
            const isLast = isActive(run) && !told.has(run.jobId);
            return isLast ? order.length : order.indexOf(run.jobId);
        };
        const { runs } = this.state.get();
        this.patch({ runs: runs.toSorted((a, b) => rank(a) - rank(b)) });
    }

    /** The whole of a run: what this page had of it may lack pieces, or be of an earlier attempt. */
    private onRecord({ output, state, isWaiting, status, ...start }: RunRecord): void {
        if (!this.find(start.jobId)) {
            this.add(this.runOf(start));
        }
        const feed = this.feedOf(start.jobId);
        feed.isShared = true;
        feed.clear();
        for (const piece of output) {
            feed.take(piece);
        }
        if (status !== null) {
            this.finish(start.jobId, status);
            return;
        }
        if (state !== null) {
            this.onStatus(start.jobId, state);
        } else if (output.length > 0) {
            this.started(start.jobId);
        }
        this.onWaiting(start.jobId, isWaiting);
    }

    // --- this page's own run -----------------------------------------------------------------

    private onAccepted(jobId: string, program: Program): void {
        this.own.add(jobId);
        this.ports.remember([...this.own].slice(-RUNS_MAX));
        const known = this.find(jobId);
        if (known) {
            this.change(jobId, { isOwn: true });
        } else {
            const by = this.ports.name();
            const at = this.ports.now();
            const hash = codeHash(program.code);
            this.add(this.runOf({ jobId, by, at, codeHash: hash }));
            this.announceStart(jobId);
        }
        if (!known || isActive(known)) {
            this.patch({ isLinked: true });
            this.feedOf(jobId).stop = this.ports.follow(jobId, this.listenerFor(jobId));
        }
    }

    private listenerFor(jobId: string): Listener {
        const feed = this.feedOf(jobId);
        return {
            onStatus: (status) => this.onStatus(jobId, status),
            onOutput: (output) => {
                if (!feed.isShared) {
                    feed.write(output);
                }
            },
            onWaiting: (waits) => {
                if (!feed.isShared) {
                    this.onWaiting(jobId, waits);
                }
            },
            onReset: () => {
                if (!feed.isShared) {
                    feed.clear();
                    this.onWaiting(jobId, false);
                }
            },
            onEnd: (status) => {
                if (!feed.isShared || !this.ports.isRoomLive()) {
                    this.onEnd(jobId, status);
                }
            },
            onLost: () => {
                if (isActive(this.find(jobId))) {
                    this.onLost(jobId);
                }
            },
            onLink: (isLinked) => {
                if (feed.isShared) {
                    return;
                }
                this.patch({ isLinked });
                if (!isLinked) {
                    this.ports.onTrouble();
                }
            },
        };
    }

    private onStatus(jobId: string, status: RunState): void {
        const run = this.find(jobId);
        if (!isActive(run) || isEnd(status)) {
            return;
        }
        const isRunning = status.status === 'running';
        const phase = isRunning ? 'running' : 'queued';
        this.change(jobId, {
            phase: run.phase === 'stopping' ? 'stopping' : phase,
            position: isRunning ? null : (status.position ?? null),
            runningSince: isRunning ? (run.runningSince ?? this.ports.now()) : null,
        });
    }

    private onWaiting(jobId: string, waits: boolean): void {
        const run = this.find(jobId);
        if (!isActive(run) || waits === (run.waitingSince !== null)) {
            return;
        }
        this.started(jobId);
        const now = this.ports.now();
        if (waits) {
            this.change(jobId, { waitingSince: now });
            this.patch({ announcement: strings.events.waits(titleOf(run)) });
        } else {
            const waitedMs = run.waitedMs + now - (run.waitingSince ?? now);
            this.change(jobId, { waitingSince: null, waitedMs });
        }
    }

    // --- from beginning to end ---------------------------------------------------------------

    private runOf(start: RunStart): Run {
        const isOwn = this.own.has(start.jobId);
        // A run that begins while ours is on its way to the daemon is ours, most likely.
        const isQueued = isOwn || this.state.get().isSending;
        return {
            jobId: start.jobId,
            by: start.by,
            isOwn,
            codeHash: start.codeHash,
            at: start.at,
            phase: isQueued ? 'queued' : 'running',
            position: null,
            runningSince: isQueued ? null : this.ports.now(),
            waitingSince: null,
            waitedMs: 0,
            lines: [],
            status: null,
            failure: null,
        };
    }

    private add(run: Run): void {
        const runs = [...this.state.get().runs, run].slice(-RUNS_MAX);
        this.patch({ runs });
        for (const jobId of this.feeds.keys()) {
            if (!runs.some((kept) => kept.jobId === jobId)) {
                this.feeds.get(jobId)?.stop();
                this.feeds.delete(jobId);
            }
        }
    }

    private feedOf(jobId: string): Feed {
        let feed = this.feeds.get(jobId);
        if (feed === undefined) {
            const show = (lines: readonly Line[]): void => this.change(jobId, { lines });
            feed = new Feed(this.ports.nextFrame, show);
            this.feeds.set(jobId, feed);
        }
        return feed;
    }

    /** Output is there, so it runs, whatever else was heard of it. */
    private started(jobId: string): void {
        if (this.find(jobId)?.phase === 'queued') {
            const runningSince = this.ports.now();
            this.change(jobId, { phase: 'running', position: null, runningSince });
        }
    }

    private onEnd(jobId: string, status: JobStatus): void {
        if (isActive(this.find(jobId))) {
            this.finish(jobId, status);
            this.announceEnd(jobId);
        }
    }

    private finish(jobId: string, status: JobStatus): void {
        const feed = this.feedOf(jobId);
        feed.stop();
        const lines = feed.lines();
        const failure = failureOf(lines);
        this.change(jobId, { phase: 'ended', waitingSince: null, status, lines, failure });
    }

    private onLost(jobId: string): void {
        const feed = this.feedOf(jobId);
        feed.stop();
        this.change(jobId, { phase: 'lost', waitingSince: null, lines: feed.lines() });
        this.announceEnd(jobId);
    }

    private announceStart(jobId: string): void {
        const run = this.find(jobId);
        if (run) {
            this.patch({ announcement: strings.events.started(titleOf(run)) });
        }
    }

    private announceEnd(jobId: string): void {
        const run = this.find(jobId);
        if (run) {
            const line = run.failure?.line ?? null;
            const announcement = strings.events.ended(titleOf(run), chipOf(run).word, line);
            this.patch({ announcement, isLinked: true });
        }
    }

    private onRefused(error: unknown): void {
        const refusal =
            error instanceof Refusal ? error : new Refusal('unknown', String(error), -1);
        if (refusal.retryAfter > 0) {
            this.patch({ heldUntil: this.ports.now() + refusal.retryAfter * 1000 });
        }
        this.refuse(sentenceOf(refusal, this.ports.limits()));
        if (refusal.code === 'network' || refusal.status >= 500) {
            this.ports.onTrouble();
        }
    }

    private refuse(sentence: string): void {
        this.patch({ refusal: sentence, announcement: sentence });
    }

    private find(jobId: string): Run | undefined {
        return this.state.get().runs.find((run) => run.jobId === jobId);
    }

    private change(jobId: string, part: Partial<Run>): void {
        const runs = this.state
            .get()
            .runs.map((run) => (run.jobId === jobId ? { ...run, ...part } : run));
        this.patch({ runs });
    }

    private patch(part: Partial<SessionState>): void {
        this.state.set({ ...this.state.get(), ...part });
    }
}

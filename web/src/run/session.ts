// The runs of this page: starts one, follows it, stops it, and keeps what to show of it. One run
// at a time; the console keeps the last few.
//
// Every change makes new Run objects, so views compare by identity. Output is gathered and shown
// once a frame; everything else is shown at once.
import { Refusal, type Program } from '../api/client';
import type { Listener } from '../api/follow';
import { isEnd, type JobStatus, type Limits, type OutputEvent } from '../api/types';
import { Terminal, type Line } from '../console/terminal';
import { failureOf, type Failure } from '../console/trace';
import { Store } from '../store';
import { strings } from '../strings';
import { chipOf } from './outcome';

/** Runs kept in the console. */
const RUNS_MAX = 20;

export type Phase = 'queued' | 'running' | 'stopping' | 'ended' | 'lost';

export interface Run {
    number: number;
    jobId: string;
    /** The program as it was sent. */
    code: string;
    /** When it was sent, by this browser's clock. */
    at: number;
    phase: Phase;
    /** Place in the queue, 1 = next. */
    position: number | null;
    /** When it was first seen running, by this browser's clock. */
    runningSince: number | null;
    lines: readonly Line[];
    /** How it ended; null before. */
    status: JobStatus | null;
    failure: Failure | null;
    hadInput: boolean;
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
    follow(jobId: string, listener: Listener): () => void;
    limits(): Limits | null;
    now(): number;
    /** Calls back before the next frame is painted. */
    nextFrame(callback: () => void): void;
    /** Remembers the last run across a reload of this tab; null forgets. */
    remember(run: Remembered | null): void;
    /** The daemon may be away: look. */
    onTrouble(): void;
}

export interface Remembered {
    number: number;
    jobId: string;
    code: string;
    at: number;
    hadInput: boolean;
}

const encoder = new TextEncoder();

function isActive(run: Run | undefined): run is Run {
    return run !== undefined && run.phase !== 'ended' && run.phase !== 'lost';
}

export function activeRun(state: SessionState): Run | null {
    const last = state.runs.at(-1);
    return isActive(last) ? last : null;
}

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

export class Session {
    readonly state = new Store<SessionState>({
        runs: [],
        isSending: false,
        isLinked: true,
        refusal: null,
        heldUntil: 0,
        announcement: '',
    });
    private nextNumber = 1;

    constructor(private readonly ports: Ports) {}

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
            this.begin({
                number: this.nextNumber,
                jobId,
                code: program.code,
                at: this.ports.now(),
                hadInput: program.stdin !== undefined,
            });
        } catch (error) {
            this.patch({ isSending: false });
            this.onRefused(error);
        }
    }

    /** Takes up a run that an earlier life of this page started. */
    resume(remembered: Remembered): void {
        this.begin(remembered, () => this.drop(remembered.jobId));
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
            // 404 and 409 mean that it has ended; the stream is about to say how.
            if (error instanceof Refusal && (error.status === 404 || error.status === 409)) {
                return;
            }
            if (activeRun(this.state.get())?.jobId === run.jobId) {
                this.change(run.jobId, { phase: run.phase });
                this.refuse(strings.refusal.cancel);
            }
        }
    }

    /** Empties the console; an active run stays. */
    clear(): void {
        const active = activeRun(this.state.get());
        this.patch({ runs: active ? [active] : [], refusal: null });
        if (active === null) {
            this.ports.remember(null);
        }
    }

    private begin(start: Remembered, onLost?: () => void): void {
        this.nextNumber = start.number + 1;
        const run: Run = {
            ...start,
            phase: 'queued',
            position: null,
            runningSince: null,
            lines: [],
            status: null,
            failure: null,
        };
        const runs = [...this.state.get().runs, run].slice(-RUNS_MAX);
        this.patch({ runs, isLinked: true, announcement: strings.events.started(run.number) });
        this.ports.remember(start);
        this.ports.follow(run.jobId, this.listenerFor(run.jobId, onLost));
    }

    private listenerFor(jobId: string, onLost?: () => void): Listener {
        const terminal = new Terminal();
        let isDue = false;
        const show = (): void => {
            isDue = false;
            this.change(jobId, { lines: terminal.snapshot() });
        };
        const showSoon = (): void => {
            if (!isDue) {
                isDue = true;
                this.ports.nextFrame(() => {
                    if (isDue) {
                        show();
                    }
                });
            }
        };
        return {
            onStatus: (status) => this.onStatus(jobId, status),
            onOutput: ({ stream, text }: OutputEvent) => {
                terminal.write(stream, text);
                showSoon();
            },
            onReset: () => {
                terminal.clear();
                show();
            },
            onEnd: (status) => {
                show();
                this.onEnd(jobId, status, terminal.snapshot());
            },
            onLost: () => {
                show();
                (onLost ?? (() => this.onLost(jobId)))();
            },
            onLink: (isLinked) => {
                this.patch({ isLinked });
                if (!isLinked) {
                    this.ports.onTrouble();
                }
            },
        };
    }

    private onStatus(jobId: string, status: JobStatus): void {
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

    private onEnd(jobId: string, status: JobStatus, lines: readonly Line[]): void {
        const failure = failureOf(lines);
        this.change(jobId, { phase: 'ended', status, failure });
        this.announceEnd(jobId);
    }

    private onLost(jobId: string): void {
        this.change(jobId, { phase: 'lost' });
        this.ports.remember(null);
        this.announceEnd(jobId);
    }

    private announceEnd(jobId: string): void {
        const run = this.find(jobId);
        if (run) {
            const line = run.failure?.line ?? null;
            const announcement = strings.events.ended(run.number, chipOf(run).word, line);
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

    private drop(jobId: string): void {
        this.patch({ runs: this.state.get().runs.filter((run) => run.jobId !== jobId) });
        this.ports.remember(null);
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

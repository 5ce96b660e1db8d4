// The REST calls of the page. Each either returns what was asked for or throws a Refusal, which
// always has a code: the daemon's own, or "network" when no answer came at all.
import { apiBase } from './addresses';
import type { JobStatus, Limits } from './types';

/** Longest wait for an answer; the daemon answers all of these calls in milliseconds. */
const ANSWER_MS = 15_000;

export class Refusal extends Error {
    constructor(
        readonly code: string,
        message: string,
        /** The HTTP status; 0 when no answer came. */
        readonly status = 0,
        /** Seconds until trying again makes sense; 0 when the daemon names none. */
        readonly retryAfter = 0,
    ) {
        super(message);
    }
}

export interface Program {
    code: string;
    stdin?: string;
    /** More input may follow while it runs. */
    interactive?: boolean;
    /** The room whose console shows the run. */
    roomId?: string | undefined;
    /** Who runs it, for the others in the room. */
    by?: string;
}

/** What the daemon answers to any of its calls. */
export async function call(path: string, init?: RequestInit): Promise<unknown> {
    let answer: Response;
    try {
        const signal = AbortSignal.timeout(ANSWER_MS);
        answer = await fetch(apiBase() + path, { ...init, cache: 'no-store', signal });
    } catch {
        throw new Refusal('network', 'The server could not be reached.');
    }
    const body: unknown = await answer.json().catch(() => null);
    if (!answer.ok) {
        throw refusalOf(answer, body);
    }
    return body;
}

function refusalOf(answer: Response, body: unknown): Refusal {
    const error = (body as { error?: Partial<Refusal> } | null)?.error;
    const header = Number(answer.headers.get('Retry-After'));
    const seconds = Number(error?.retryAfter ?? header);
    return new Refusal(
        typeof error?.code === 'string' ? error.code : `http_${answer.status}`,
        typeof error?.message === 'string' ? error.message : answer.statusText,
        answer.status,
        Number.isFinite(seconds) ? Math.max(0, seconds) : 0,
    );
}

export async function execute(program: Program): Promise<string> {
    const answer = await call('/api/execute', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(program),
    });
    const jobId = (answer as { jobId?: unknown } | null)?.jobId;
    if (typeof jobId !== 'string') {
        throw new Refusal('bad_answer', 'The server accepted the program without naming it.');
    }
    return jobId;
}

export async function cancel(jobId: string): Promise<void> {
    await call(`/api/jobs/${jobId}/cancel`, { method: 'POST' });
}

export interface Input {
    data: string;
    /** Nothing follows. */
    end?: boolean;
    by?: string;
}

/** To a run that waits for it. */
export async function giveInput(jobId: string, input: Input): Promise<void> {
    await call(`/api/jobs/${jobId}/stdin`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(input),
    });
}

export async function status(jobId: string): Promise<JobStatus> {
    return (await call(`/api/status/${jobId}`)) as JobStatus;
}

export async function limits(): Promise<Limits> {
    return (await call('/api/limits')) as Limits;
}

/** Whether runs can start now; throws only when nobody answers. */
export async function isReady(): Promise<boolean> {
    try {
        await call('/readyz');
        return true;
    } catch (error) {
        if (error instanceof Refusal && error.status > 0) {
            return false;
        }
        throw error;
    }
}

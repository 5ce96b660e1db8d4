// The shapes of the daemon's JSON. Times are ms since the epoch, durations ms, sizes bytes.

export type PrintedStream = 'stdout' | 'stderr';

/** stdin: what somebody gave the program while it ran. */
export type Stream = PrintedStream | 'stdin';

export type JobState =
    | 'queued'
    | 'running'
    | 'completed'
    | 'failed'
    | 'timed_out'
    | 'out_of_memory'
    | 'cancelled'
    | 'error';

export interface JobStatus {
    jobId: string;
    status: JobState;
    /** Place in the queue, 1 = next; only while queued. */
    position?: number | null;
    stdout?: string;
    stderr?: string;
    truncated?: boolean;
    droppedBytes?: number;
    exitCode?: number | null;
    /** A name such as "SIGSEGV". */
    signal?: string | null;
    startedAt?: number | null;
    wallMs?: number | null;
    memoryBytes?: number | null;
    error?: { code: string; message?: string } | null;
}

export interface OutputEvent {
    stream: Stream;
    text: string;
    /** Of stdin: who gave it; null when nobody said. */
    by?: string | null;
}

/** The part of GET /api/limits that the page speaks of. */
export interface Limits {
    codeBytes: number;
    stdinBytes: number;
    outputBytes: number;
    runMs: number;
    inputMs: number;
    memoryBytes: number;
    runsPerMinute: number;
    queueMax: number;
}

export function isEnd(status: Pick<JobStatus, 'status'>): boolean {
    return status.status !== 'queued' && status.status !== 'running';
}

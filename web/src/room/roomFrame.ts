// What the daemon tells a room besides its text: messages of type 100, each with JSON. Anything
// that is not as expected is left out, so that page and daemon need not be of one age.
import type { JobStatus, OutputEvent } from '../api/types';

export interface RunPiece extends OutputEvent {
    /** UTF-8 bytes of output of this run before this piece. */
    offset: number;
}

export interface RunStart {
    jobId: string;
    /** Who ran it; null when nobody said. */
    by: string | null;
    /** By the daemon's clock. */
    at: number;
    codeHash: string;
}

/** Queued, at which place (1 = next), or running. */
export type RunState = Pick<JobStatus, 'status' | 'position'>;

export interface RunRecord extends RunStart {
    output: RunPiece[];
    state: RunState | null;
    /** For input. */
    isWaiting: boolean;
    /** How it ended; null while it goes on. */
    status: JobStatus | null;
}

export type RunFrame =
    | ({ run: 'start' } & RunStart)
    | ({ run: 'output'; jobId: string } & RunPiece)
    | { run: 'state'; jobId: string; state: RunState }
    | { run: 'waiting'; jobId: string; isWaiting: boolean }
    | { run: 'end'; jobId: string; status: JobStatus }
    | { run: 'history'; runs: RunRecord[] };

/** refused: an edit of this page was not taken in, and why. */
export type RoomFrame = RunFrame | { saved: boolean } | { refused: string };

type Json = Record<string, unknown>;

function isJson(value: unknown): value is Json {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pieceOf(json: unknown): RunPiece | null {
    if (!isJson(json)) {
        return null;
    }
    const { stream, text, offset, by } = json;
    if (typeof text !== 'string' || typeof offset !== 'number' || offset < 0) {
        return null;
    }
    if (stream === 'stdin') {
        return { stream, text, offset, by: typeof by === 'string' ? by : null };
    }
    return stream === 'stdout' || stream === 'stderr' ? { stream, text, offset } : null;
}

function startOf(json: unknown): RunStart | null {
    if (!isJson(json) || typeof json.jobId !== 'string' || typeof json.at !== 'number') {
        return null;
    }
    return {
        jobId: json.jobId,
        by: typeof json.by === 'string' ? json.by : null,
        at: json.at,
        codeHash: typeof json.codeHash === 'string' ? json.codeHash : '',
    };
}

function statusOf(json: unknown): JobStatus | null {
    return isJson(json) && typeof json.status === 'string'
        ? (json as unknown as JobStatus)
        : null;
}

function stateOf(json: unknown): RunState | null {
    if (!isJson(json) || (json.status !== 'queued' && json.status !== 'running')) {
        return null;
    }
    const position = typeof json.position === 'number' ? json.position : null;
    return { status: json.status, position };
}

/** Null: it is none. */
export function recordOf(json: unknown): RunRecord | null {
    const start = startOf(json);
    if (start === null || !isJson(json)) {
        return null;
    }
    const pieces = Array.isArray(json.output) ? json.output : [];
    const output = pieces.map(pieceOf).filter((piece) => piece !== null);
    const state = stateOf(json.state);
    const isWaiting = json.waiting === true;
    return { ...start, output, state, isWaiting, status: statusOf(json.status) };
}

function runFrameOf(json: Json): RunFrame | null {
    if (json.run === 'start') {
        const start = startOf(json);
        return start && { run: 'start', ...start };
    }
    if (json.run === 'history' && Array.isArray(json.runs)) {
        const runs = json.runs.map(recordOf).filter((record) => record !== null);
        return { run: 'history', runs };
    }
    const { jobId } = json;
    if (typeof jobId !== 'string') {
        return null;
    }
    if (json.run === 'output') {
        const piece = pieceOf(json);
        return piece && { run: 'output', jobId, ...piece };
    }
    if (json.run === 'waiting') {
        return { run: 'waiting', jobId, isWaiting: json.waiting === true };
    }
    if (json.run === 'state') {
        const state = stateOf(json.state);
        return state && { run: 'state', jobId, state };
    }
    const status = json.run === 'end' ? statusOf(json.status) : null;
    return status && { run: 'end', jobId, status };
}

/** Null: nothing that this page knows. */
export function readRoomFrame(text: string): RoomFrame | null {
    let json: unknown;
    try {
        json = JSON.parse(text);
    } catch {
        return null;
    }
    if (!isJson(json)) {
        return null;
    }
    if (typeof json.refused === 'string') {
        return { refused: json.refused };
    }
    return typeof json.saved === 'boolean' ? { saved: json.saved } : runFrameOf(json);
}

// The runs that a room remembers, with their code.
import { recordOf, type RunRecord } from '../room/roomFrame';
import { call } from './client';

export interface PastRun extends RunRecord {
    /** Null: it is not kept. */
    code: string | null;
}

function pastRunOf(json: unknown): PastRun | null {
    const record = recordOf(json);
    const code = (json as { code?: unknown } | null)?.code;
    return record && { ...record, code: typeof code === 'string' ? code : null };
}

/** The last runs of a room, oldest first. */
export async function pastRuns(roomId: string): Promise<PastRun[]> {
    const answer = await call(`/api/rooms/${roomId}/runs`);
    const runs = (answer as { runs?: unknown } | null)?.runs;
    return Array.isArray(runs) ? runs.map(pastRunOf).filter((run) => run !== null) : [];
}

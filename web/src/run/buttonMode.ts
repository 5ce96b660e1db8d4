// What the Run button is at a moment, from the runs, the daemon and the time.
import type { Link } from '../api/server';
import type { Connection } from '../room/roomState';
import type { SessionState } from './session';
import { activeRun } from './sessionState';

export type ButtonMode =
    | { kind: 'idle' | 'joining' | 'sending' | 'stopping' | 'offline' | 'unavailable' }
    | { kind: 'queued'; position: number | null }
    | { kind: 'running'; seconds: number; by: string | null }
    | { kind: 'held'; seconds: number };

/** Before the text has come there is nothing to run. */
export function modeBeforeText(connection: Connection): ButtonMode {
    return { kind: connection === 'connecting' ? 'joining' : 'offline' };
}

export function buttonMode(state: SessionState, link: Link, now: number): ButtonMode {
    const run = activeRun(state);
    if (run?.phase === 'stopping') {
        return { kind: 'stopping' };
    }
    if (run?.phase === 'running') {
        const waited = run.waitedMs + now - (run.waitingSince ?? now);
        const elapsed = Math.max(0, now - (run.runningSince ?? now) - waited);
        const by = run.isOwn ? null : run.by;
        return { kind: 'running', seconds: Math.floor(elapsed / 1000), by };
    }
    if (run) {
        return { kind: 'queued', position: run.position };
    }
    if (state.isSending) {
        return { kind: 'sending' };
    }
    if (now < state.heldUntil) {
        return { kind: 'held', seconds: Math.ceil((state.heldUntil - now) / 1000) };
    }
    if (link === 'offline') {
        return { kind: 'offline' };
    }
    return { kind: link === 'unready' ? 'unavailable' : 'idle' };
}

/** Whether the button shows a time that goes on by itself. */
export function isTicking(mode: ButtonMode): boolean {
    return mode.kind === 'running' || mode.kind === 'held';
}

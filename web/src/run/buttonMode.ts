// What the Run button is at a moment, from the runs, the daemon and the time.
import type { Link } from '../api/server';
import { activeRun, type SessionState } from './session';

export type ButtonMode =
    | { kind: 'idle' | 'sending' | 'stopping' | 'offline' | 'unavailable' }
    | { kind: 'queued'; position: number | null }
    | { kind: 'running' | 'held'; seconds: number };

export function buttonMode(state: SessionState, link: Link, now: number): ButtonMode {
    const run = activeRun(state);
    if (run?.phase === 'stopping') {
        return { kind: 'stopping' };
    }
    if (run?.phase === 'running') {
        const elapsed = Math.max(0, now - (run.runningSince ?? now));
        return { kind: 'running', seconds: Math.floor(elapsed / 1000) };
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

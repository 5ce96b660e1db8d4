// What the page knows of its runs, for everything that is drawn before the session's code has come.
import type { Run, SessionState } from './session';

export const NO_RUNS: SessionState = {
    runs: [],
    isSending: false,
    isLinked: true,
    refusal: null,
    heldUntil: 0,
    announcement: '',
};

export function isActive(run: Run | undefined): run is Run {
    return run !== undefined && run.phase !== 'ended' && run.phase !== 'lost';
}

/** The newest, if somebody has managed to start several. */
export function activeRun(state: SessionState): Run | null {
    return state.runs.findLast(isActive) ?? null;
}

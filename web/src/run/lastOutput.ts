// What the last run has printed, as words to be read out.
import { textOf } from '../console/trace';
import { session } from '../page';
import { strings } from '../strings';
import { settings } from '../settings/settings';
import { announce } from '../ui/announcer';
import { titleOf } from './outcome';
import type { Run } from './session';
import { activeRun, isActive } from './sessionState';

/** Longer output is cut: nobody can listen to all of it. */
const LETTERS_MAX = 1_000;

export function wordsOf(run: Run | undefined): string {
    if (run === undefined) {
        return strings.console.empty;
    }
    const text = run.lines.map(textOf).join('\n');
    const words = text.length > LETTERS_MAX ? `${text.slice(0, LETTERS_MAX)}…` : text;
    return strings.events.output(titleOf(run), words);
}

export function readLastOutput(): void {
    announce(wordsOf(session.state.get().runs.at(-1)));
}

/** Reads out what a run has printed when it ends, if that is wanted. Returns a function that stops. */
export function watchOutput(): () => void {
    let active: Run | null = null;
    return session.state.subscribe(() => {
        const state = session.state.get();
        const ended = state.runs.find(({ jobId }) => jobId === active?.jobId);
        active = activeRun(state);
        if (ended && !isActive(ended) && settings.get().isOutputRead) {
            announce(wordsOf(ended));
        }
    });
}

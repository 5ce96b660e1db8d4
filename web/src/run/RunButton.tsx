// Run, and while a run is active, Stop. Never truly disabled: a button that cannot act now stays
// focusable and says why.
import { Hourglass, LoaderCircle, Play, Square, Timer, WifiOff } from 'lucide-react';
import type { ReactNode } from 'react';
import { frameStrings as strings } from '../frameStrings';
import type { ButtonMode } from './buttonMode';
import css from './RunButton.module.css';

interface Props {
    mode: ButtonMode;
    onRun(): void;
    onStop(): void;
    /** Asks the daemon again; for the modes in which it was found away. */
    onRetry(): void;
}

const ICON = { size: 15, 'aria-hidden': true } as const;

function iconOf(kind: ButtonMode['kind']): ReactNode {
    switch (kind) {
        case 'idle':
            return <Play {...ICON} className={css.filled} />;
        case 'joining':
        case 'sending':
            return <LoaderCircle {...ICON} className={css.late} />;
        case 'stopping':
            return <LoaderCircle {...ICON} className={css.spin} />;
        case 'queued':
            return <Hourglass {...ICON} />;
        case 'running':
            return <Square {...ICON} className={css.filled} />;
        case 'held':
            return <Timer {...ICON} />;
        case 'offline':
        case 'unavailable':
            return <WifiOff {...ICON} />;
    }
}

function wordsOf(mode: ButtonMode): string {
    switch (mode.kind) {
        case 'idle':
        case 'joining':
        case 'sending':
            return strings.run.run;
        case 'queued':
            return strings.run.queued(mode.position);
        case 'running':
            return strings.run.stop;
        case 'stopping':
            return strings.run.stopping;
        case 'held':
            return strings.run.held(mode.seconds);
        case 'offline':
            return strings.run.offline;
        case 'unavailable':
            return strings.run.unavailable;
    }
}

function tipOf(mode: ButtonMode): string {
    const { tips } = strings.run;
    return mode.kind === 'running' ? tips.running(mode.by) : tips[mode.kind];
}

const LOOK: Record<ButtonMode['kind'], string | undefined> = {
    idle: css.run,
    joining: css.run,
    sending: css.run,
    queued: css.waiting,
    running: css.stop,
    stopping: css.stop,
    held: css.waiting,
    offline: css.waiting,
    unavailable: css.waiting,
};

export function RunButton({ mode, onRun, onStop, onRetry }: Props) {
    const { kind } = mode;
    const actions: Partial<Record<ButtonMode['kind'], () => void>> = {
        idle: onRun,
        queued: onStop,
        running: onStop,
        offline: onRetry,
        unavailable: onRetry,
    };
    const isStoppable = kind === 'queued' || kind === 'running';
    const canAct = kind === 'idle' || isStoppable;

    return (
        <button
            type="button"
            className={`${css.button} ${LOOK[kind]}`}
            data-mode={kind}
            title={tipOf(mode)}
            aria-disabled={!canAct}
            aria-keyshortcuts={isStoppable ? 'Control+.' : 'Control+Enter'}
            onClick={actions[kind]}
        >
            {iconOf(kind)}
            <span>{wordsOf(mode)}</span>
            {mode.kind === 'running' && (
                <span className={css.elapsed} aria-hidden="true">
                    {strings.run.elapsed(mode.seconds)}
                </span>
            )}
            {kind === 'idle' && (
                <span className={css.hint} aria-hidden="true">
                    {strings.run.runHint}
                </span>
            )}
        </button>
    );
}

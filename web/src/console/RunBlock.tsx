// One run in the console: which, when, how it went, what it printed, what to know about its end.
import { memo } from 'react';
import { tint } from '../people/Avatar';
import type { Limits } from '../api/types';
import { notesOf, titleOf } from '../run/outcome';
import type { Run } from '../run/session';
import { clock, strings } from '../strings';
import tones from '../ui/tones.module.css';
import { Output } from './Output';
import { PromptRow } from './PromptRow';
import { RunMenu } from './RunMenu';
import { StatusChip } from './StatusChip';
import css from './RunBlock.module.css';

/** What to say instead of output while there is none. */
function silence(run: Run): string | null {
    if (run.lines.length > 0) {
        return null;
    }
    if (run.phase === 'queued') {
        return run.position === null ? null : strings.console.ahead(run.position);
    }
    if (run.phase === 'running') {
        return run.waitingSince === null ? strings.console.waiting : null;
    }
    return run.status?.status === 'completed' ? strings.console.nothing : null;
}

interface Props {
    run: Run;
    /** Of whoever ran it; null when that is not known. */
    colour: number | null;
    limits: Limits | null;
    mostLines: number;
    onJump(line: number): void;
}

export const RunBlock = memo(function RunBlock(props: Props) {
    const { run, colour, limits, mostLines, onJump } = props;
    const quiet = silence(run);
    return (
        <section className={css.block} aria-label={titleOf(run)}>
            <header className={css.head}>
                <h2 className={css.title}>
                    {colour !== null && <span className={css.dot} style={tint(colour)} />}
                    {titleOf(run)}
                </h2>
                <time className={css.time} dateTime={new Date(run.at).toISOString()}>
                    {clock(run.at)}
                </time>
                <StatusChip run={run} />
                <RunMenu run={run} />
            </header>
            {quiet !== null && <p className={css.silence}>{quiet}</p>}
            {run.lines.length > 0 && (
                <Output
                    lines={run.lines}
                    codeHash={run.codeHash}
                    most={mostLines}
                    onJump={onJump}
                />
            )}
            {run.waitingSince !== null && <PromptRow jobId={run.jobId} isOwn={run.isOwn} />}
            {notesOf(run, limits).map(({ tone, text }) => (
                <p key={text} className={`${css.note} ${tones[tone]}`}>
                    {text}
                </p>
            ))}
        </section>
    );
});

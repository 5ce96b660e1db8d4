// All runs, newest at the bottom. Stays at the bottom while the reader is there; a reader who has
// scrolled up is left alone and told that there is more.
import { ArrowDown } from 'lucide-react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Limits } from '../api/types';
import type { Run } from '../run/session';
import { strings } from '../strings';
import { RunBlock } from './RunBlock';
import css from './RunLog.module.css';

/** Lines kept in the page, all runs together: so many can be drawn within a frame or two. */
const LINES_MAX = 2000;
/** This close to the bottom counts as being there, CSS pixels. */
const NEAR = 24;

interface Props {
    runs: readonly Run[];
    limits: Limits | null;
    refusal: string | null;
    colourOf(run: Run): number | null;
    onJump(line: number): void;
}

/** How many lines of each run are shown: the newest runs have theirs first. */
function shares(runs: readonly Run[]): number[] {
    let left = LINES_MAX;
    return runs
        .toReversed()
        .map(({ lines }) => {
            const share = left;
            left = Math.max(0, left - lines.length);
            // A run that fits keeps the same number whatever follows it, so it is not redrawn.
            return lines.length <= share ? LINES_MAX : share;
        })
        .reverse();
}

export function RunLog({ runs, limits, refusal, colourOf, onJump }: Props) {
    const log = useRef<HTMLDivElement>(null);
    const content = useRef<HTMLDivElement>(null);
    // What was there when the reader left the bottom; void as soon as another run begins.
    const [left, setLeft] = useState<readonly Run[] | null>(null);
    const isAway = left !== null && left.at(-1)?.jobId === runs.at(-1)?.jobId;

    const toBottom = useCallback(() => {
        log.current?.scrollTo({ top: log.current.scrollHeight });
    }, []);

    const onScroll = (): void => {
        const { scrollTop, scrollHeight, clientHeight } = log.current!;
        const isNear = scrollHeight - scrollTop - clientHeight < NEAR;
        setLeft(isNear ? null : (left ?? runs));
    };

    useLayoutEffect(() => {
        if (!isAway) {
            toBottom();
        }
    }, [isAway, toBottom]);

    // What is new has been laid out by then, and is not laid out once more for being scrolled to.
    useEffect(() => {
        if (isAway) {
            return;
        }
        const observer = new ResizeObserver(toBottom);
        observer.observe(log.current!);
        observer.observe(content.current!);
        return () => observer.disconnect();
    }, [isAway, toBottom]);

    const most = shares(runs);
    return (
        <div className={css.frame}>
            {/* Announcements have a live region of their own; the log itself stays silent. */}
            <div
                ref={log}
                className={css.log}
                role="log"
                aria-live="off"
                aria-label={strings.console.log}
                // A scrolling area has to be reachable by keyboard.
                // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
                tabIndex={0}
                onScroll={onScroll}
            >
                <div ref={content}>
                    {runs.length === 0 && refusal === null && (
                        <div className={css.empty}>
                            <p>{strings.console.empty}</p>
                            <p>{strings.console.emptyHint}</p>
                        </div>
                    )}
                    {runs.map((run, at) => (
                        <RunBlock
                            key={run.jobId}
                            run={run}
                            colour={colourOf(run)}
                            limits={limits}
                            mostLines={most[at]!}
                            onJump={onJump}
                        />
                    ))}
                    {refusal !== null && <p className={css.refusal}>{refusal}</p>}
                </div>
            </div>
            {isAway && left !== runs && (
                <button type="button" className={css.pill} onClick={toBottom}>
                    <ArrowDown size={14} aria-hidden="true" />
                    {strings.console.newOutput}
                </button>
            )}
        </div>
    );
}

// What ran in this room before: who, when, how it went; and the code of each run, compared with the
// text of now, which can be made that code again.
import { ArrowLeft, RotateCcw } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import type { PastRun } from '../api/pastRuns';
import { StatusChip } from '../console/StatusChip';
import { Terminal } from '../console/terminal';
import { textOf } from '../console/trace';
import { editor } from '../editor/control';
import { pastRuns, program, roomState, session } from '../page';
import { tint } from '../people/Avatar';
import { colourNamed } from '../room/roomState';
import type { SessionState } from '../run/session';
import { useStore } from '../store';
import { clock, strings } from '../strings';
import css from './HistoryPane.module.css';
import { openedRun } from './openedRun';

const CodeDiff = lazy(() => import('./CodeDiff').catch(() => import('./PlainCode')));

type Loaded = readonly PastRun[] | 'loading' | 'failed';

/** Changes whenever the list of runs, or what is known of one, may have. */
function versionOf({ runs }: SessionState): string {
    return runs.map(({ jobId, phase }) => `${jobId} ${phase}`).join();
}

/** Newest first. */
function usePastRuns(): Loaded {
    const version = versionOf(useStore(session.state));
    const [loaded, setLoaded] = useState<Loaded>('loading');
    useEffect(() => {
        let isOver = false;
        pastRuns().then(
            (runs) => isOver || setLoaded(runs.toReversed()),
            () => isOver || setLoaded((before) => (before === 'loading' ? 'failed' : before)),
        );
        return () => {
            isOver = true;
        };
    }, [version]);
    return loaded;
}

function phaseOf({ status }: PastRun): {
    phase: 'running' | 'ended';
    status: PastRun['status'];
} {
    return { phase: status === null ? 'running' : 'ended', status };
}

function firstLine({ output }: PastRun): string {
    const terminal = new Terminal();
    for (const { stream, text } of output) {
        if (stream !== 'stdin') {
            terminal.write(stream, text);
        }
    }
    const [line] = terminal.snapshot();
    return line ? textOf(line) : '';
}

function Row({ run, onOpen }: { run: PastRun; onOpen(): void }) {
    const { members } = useStore(roomState);
    const colour = colourNamed(members, run.by);
    return (
        <li>
            <button type="button" id={`past-${run.jobId}`} className={css.row} onClick={onOpen}>
                <span className={css.head}>
                    {colour !== null && <span className={css.dot} style={tint(colour)} />}
                    <span className={css.who}>
                        {strings.history.row(run.by, clock(run.at))}
                    </span>
                    <StatusChip run={phaseOf(run)} />
                </span>
                <span className={css.line}>{firstLine(run)}</span>
            </button>
        </li>
    );
}

function Version({ run, onBack }: { run: PastRun; onBack(): void }) {
    const { text } = useStore(program);
    const { hasText } = useStore(roomState);
    const [isRestored, setRestored] = useState(false);
    const back = useRef<HTMLButtonElement>(null);
    const { code } = run;
    const isSame = code === text;
    useEffect(() => back.current?.focus(), []);

    const restore = (): void => {
        editor()?.replace(code!);
        setRestored(true);
    };

    return (
        <section className={css.version} aria-labelledby="past-title">
            <header className={css.bar}>
                <button ref={back} type="button" className={css.button} onClick={onBack}>
                    <ArrowLeft size={14} aria-hidden="true" />
                    {strings.history.back}
                </button>
                <button
                    type="button"
                    className={css.button}
                    disabled={code === null || isSame || !hasText}
                    onClick={restore}
                >
                    <RotateCcw size={14} aria-hidden="true" />
                    {strings.history.restore}
                </button>
            </header>
            <h2 id="past-title" className={css.title}>
                {strings.history.title(run.by, clock(run.at))}
            </h2>
            <p className={css.hint} role="status">
                {isSame && isRestored && strings.history.restored}
                {isSame && !isRestored && strings.history.same}
                {!isSame && (code === null ? strings.history.noCode : strings.history.legend)}
            </p>
            {code !== null && (
                <div className={css.code}>
                    <Suspense fallback={null}>
                        <CodeDiff before={code} now={text} />
                    </Suspense>
                </div>
            )}
        </section>
    );
}

export default function HistoryPane() {
    const runs = usePastRuns();
    const openId = useStore(openedRun);

    if (typeof runs === 'string' || runs.length === 0) {
        const { history } = strings;
        return (
            <p className={css.empty}>
                {typeof runs === 'string' ? history[runs] : history.empty}
            </p>
        );
    }
    const open = runs.find(({ jobId }) => jobId === openId);
    if (open) {
        const back = (): void => {
            openedRun.set(null);
            // The list is on the screen again only after this.
            requestAnimationFrame(() => document.getElementById(`past-${open.jobId}`)?.focus());
        };
        return <Version run={open} onBack={back} />;
    }
    return (
        <ul className={css.list} aria-label={strings.history.list}>
            {runs.map((run) => (
                <Row key={run.jobId} run={run} onOpen={() => openedRun.set(run.jobId)} />
            ))}
        </ul>
    );
}

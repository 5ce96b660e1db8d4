// The right half of the page: what the runs printed, what they may read, and what ran before.
import { lazy, Suspense } from 'react';
import { input, roomState, server, session } from '../page';
import { me } from '../room/me';
import { colourNamed } from '../room/roomState';
import type { Run } from '../run/session';
import { useStore, useStorePerFrame } from '../store';
import { strings } from '../strings';
import { panelId, tabId } from '../ui/tabIds';
import { Tabs } from '../ui/Tabs';
import { InputBox } from './InputBox';
import { RunLog } from './RunLog';
import css from './ConsolePane.module.css';

export type ConsoleTab = 'console' | 'input' | 'history';

const HistoryPane = lazy(() => import('../history/HistoryPane'));

interface Props {
    tab: ConsoleTab;
    onTab(tab: ConsoleTab): void;
    onJump(line: number): void;
}

function InputLabel() {
    const { text } = useStore(input);
    return (
        <>
            {strings.input.tab}
            {text !== '' && <span className={css.dot} aria-hidden="true" />}
        </>
    );
}

export function ConsolePane({ tab, onTab, onJump }: Props) {
    const { runs, refusal } = useStorePerFrame(session.state);
    const { limits } = useStore(server.state);
    const { members } = useStore(roomState);
    const { colour } = useStore(me);
    const colourOf = ({ isOwn, by }: Run): number | null =>
        isOwn ? colour : colourNamed(members, by);
    const panel = (id: ConsoleTab) => ({
        id: panelId('console', id),
        role: 'tabpanel',
        'aria-labelledby': tabId('console', id),
        hidden: tab !== id,
        className: css.panel,
    });

    return (
        <div className={css.pane}>
            <div className={css.bar}>
                <Tabs
                    name="console"
                    label={strings.app.output}
                    tabs={[
                        { id: 'console', label: strings.app.console },
                        { id: 'input', label: <InputLabel /> },
                        { id: 'history', label: strings.history.tab },
                    ]}
                    chosen={tab}
                    onChoose={onTab}
                />
                {tab === 'console' && (runs.length > 0 || refusal !== null) && (
                    <button type="button" className={css.clear} onClick={() => session.clear()}>
                        {strings.console.clear}
                    </button>
                )}
            </div>
            <div {...panel('console')}>
                <RunLog
                    runs={runs}
                    limits={limits}
                    refusal={refusal}
                    colourOf={colourOf}
                    onJump={onJump}
                />
            </div>
            <div {...panel('input')}>
                <InputBox />
            </div>
            <div {...panel('history')}>
                {tab === 'history' && (
                    <Suspense
                        fallback={<p className={css.loading}>{strings.history.loading}</p>}
                    >
                        <HistoryPane />
                    </Suspense>
                )}
            </div>
        </div>
    );
}

// The whole page: header, editor beside (or above, or in turn with) the console, status bar.
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';
import { flushSync } from 'react-dom';
import {
    Panel,
    PanelGroup,
    PanelResizeHandle,
    type ImperativePanelGroupHandle,
} from 'react-resizable-panels';
import { ConsolePane, type ConsoleTab } from '../console/ConsolePane';
import { editor } from '../editor/control';
import { EditorPane } from '../editor/EditorPane';
import { roomState, session } from '../page';
import { chipOf } from '../run/outcome';
import { useStore } from '../store';
import { strings } from '../strings';
import { Banner } from './Banner';
import { Header } from './Header';
import { useLayout, usePaneMin } from './layout';
import { StatusBar } from './StatusBar';
import { panelId, tabId, Tabs } from './Tabs';
import css from './App.module.css';
import tones from './tones.module.css';

type Pane = 'code' | 'console';

const SIZES = [60, 40];

/** A person who presses Run wants to see what happens: show the console. */
function useShowRuns(show: () => void): void {
    useEffect(() => {
        let before = session.state.get();
        return session.state.subscribe(() => {
            const now = session.state.get();
            const isNews = now.refusal !== null && now.refusal !== before.refusal;
            if (isNews || (now.isSending && !before.isSending)) {
                show();
            }
            before = now;
        });
    }, [show]);
}

/** Events only, never output: see RunLog. */
function Announcer() {
    const runs = useStore(session.state);
    const room = useStore(roomState);
    return (
        <>
            <p className="visually-hidden" role="status">
                {runs.announcement}
            </p>
            <p className="visually-hidden" role="status">
                {room.announcement}
            </p>
        </>
    );
}

function ConsoleLabel() {
    const last = useStore(session.state).runs.at(-1);
    const chip = last && chipOf(last);
    return (
        <>
            {strings.app.console}
            {chip && <span className={tones[chip.tone]}>{chip.word}</span>}
        </>
    );
}

function Splitter({ group }: { group: RefObject<ImperativePanelGroupHandle | null> }) {
    return (
        <PanelResizeHandle
            className={css.splitter}
            aria-label={strings.app.splitter}
            hitAreaMargins={{ coarse: 12, fine: 4 }}
            onDoubleClick={() => group.current?.setLayout(SIZES)}
        />
    );
}

export function App() {
    const layout = useLayout();
    const paneMin = usePaneMin(layout);
    const [pane, setPane] = useState<Pane>('code');
    const [tab, setTab] = useState<ConsoleTab>('console');
    const group = useRef<ImperativePanelGroupHandle>(null);
    const isSingle = layout === 'single';

    const showConsole = useCallback(() => {
        setPane('console');
        setTab('console');
    }, []);
    useShowRuns(showConsole);

    const jump = useCallback((line: number) => {
        // The editor has to be on the screen before it can scroll to a line.
        flushSync(() => setPane('code'));
        editor()?.reveal(line);
    }, []);

    const away = (id: Pane): string | undefined =>
        isSingle && pane !== id ? css.away : undefined;
    const tabPanel = (id: Pane) =>
        isSingle && {
            id: panelId('pane', id),
            role: 'tabpanel',
            'aria-labelledby': tabId('pane', id),
        };

    return (
        <div className={css.page}>
            <a
                className={css.skip}
                href="#editor"
                onClick={(event) => {
                    event.preventDefault();
                    flushSync(() => setPane('code'));
                    editor()?.focus();
                }}
            >
                {strings.app.skip}
            </a>
            <Header />
            <Banner />
            {isSingle && (
                <nav className={css.panes} aria-label={strings.app.panes}>
                    <Tabs<Pane>
                        name="pane"
                        label={strings.app.panes}
                        tabs={[
                            { id: 'code', label: strings.app.code },
                            { id: 'console', label: <ConsoleLabel /> },
                        ]}
                        chosen={pane}
                        isWide
                        onChoose={setPane}
                    />
                </nav>
            )}
            <PanelGroup
                ref={group}
                className={css.work}
                direction={layout === 'wide' ? 'horizontal' : 'vertical'}
                autoSaveId="vve:panes"
            >
                <Panel
                    className={away('code')}
                    order={1}
                    defaultSize={SIZES[0]}
                    minSize={paneMin}
                >
                    <main
                        id="editor"
                        className={css.half}
                        data-region="editor"
                        aria-label={strings.app.editor}
                    >
                        <div className={css.half} {...tabPanel('code')}>
                            <EditorPane />
                        </div>
                    </main>
                </Panel>
                <Splitter group={group} />
                <Panel
                    className={away('console')}
                    order={2}
                    defaultSize={SIZES[1]}
                    minSize={paneMin}
                >
                    {/* Where one pane is shown at a time, the one that is shown is the main one. */}
                    <div
                        role={isSingle ? 'main' : 'complementary'}
                        className={css.half}
                        data-region="console"
                        aria-label={strings.app.output}
                    >
                        <div className={css.half} {...tabPanel('console')}>
                            <ConsolePane tab={tab} onTab={setTab} onJump={jump} />
                        </div>
                    </div>
                </Panel>
            </PanelGroup>
            <StatusBar />
            <Announcer />
        </div>
    );
}

// The editor and the console with the splitter between them. Loaded after the frame has been
// painted; WorkPlace keeps its place.
import { useEffect, useRef, type RefObject } from 'react';
import {
    Panel,
    PanelGroup,
    PanelResizeHandle,
    type ImperativePanelGroupHandle,
} from 'react-resizable-panels';
import { ConsolePane } from '../console/ConsolePane';
import { EditorPane } from '../editor/EditorPane';
import { watchOutput } from '../run/lastOutput';
import { useStore } from '../store';
import { strings } from '../strings';
import {
    keepShare,
    keptShare,
    useLayout,
    usePaneMin,
    USUAL_SHARE,
    type Layout,
} from './layout';
import { watchKeys } from './keys';
import { goToEditor, isAway, shown, showTab, type Pane } from './panes';
import { panelId, tabId } from './tabIds';
import css from './Work.module.css';

function Splitter({ group }: { group: RefObject<ImperativePanelGroupHandle | null> }) {
    return (
        <PanelResizeHandle
            className={css.splitter}
            aria-label={strings.app.splitter}
            hitAreaMargins={{ coarse: 12, fine: 4 }}
            onDoubleClick={() => group.current?.setLayout([USUAL_SHARE, 100 - USUAL_SHARE])}
        />
    );
}

/** What makes an element the panel of a pane's tab, where panes have tabs. */
function panePanel(layout: Layout, id: Pane): Record<string, string> | false {
    return (
        layout === 'single' && {
            id: panelId('pane', id),
            role: 'tabpanel',
            'aria-labelledby': tabId('pane', id),
        }
    );
}

export function WorkPane() {
    const layout = useLayout();
    const now = useStore(shown);
    const group = useRef<ImperativePanelGroupHandle>(null);
    const paneMin = usePaneMin(layout);
    const share = keptShare(paneMin);
    const away = (id: Pane): string | undefined =>
        isAway(layout, now, id) ? css.away : undefined;

    useEffect(() => watchKeys(), []);
    useEffect(() => watchOutput(), []);

    return (
        <PanelGroup
            ref={group}
            className={css.work}
            direction={layout === 'wide' ? 'horizontal' : 'vertical'}
            onLayout={([editor]) => editor !== undefined && keepShare(editor)}
        >
            <Panel className={away('code')} order={1} defaultSize={share} minSize={paneMin}>
                <main
                    id="editor"
                    className={css.half}
                    data-region="editor"
                    aria-label={strings.app.editor}
                >
                    <div className={css.half} {...panePanel(layout, 'code')}>
                        <EditorPane />
                    </div>
                </main>
            </Panel>
            <Splitter group={group} />
            <Panel
                className={away('console')}
                order={2}
                defaultSize={100 - share}
                minSize={paneMin}
            >
                {/* Where one pane is shown at a time, the one that is shown is the main one. */}
                <div
                    role={layout === 'single' ? 'main' : 'complementary'}
                    className={css.half}
                    data-region="console"
                    aria-label={strings.app.output}
                >
                    <div className={css.half} {...panePanel(layout, 'console')}>
                        <ConsolePane tab={now.tab} onTab={showTab} onJump={goToEditor} />
                    </div>
                </div>
            </Panel>
        </PanelGroup>
    );
}

// The Monaco editor on main.py. Loaded after the frame has been painted, in a chunk of its own.
import { TabFocus } from 'monaco-editor/esm/vs/editor/browser/config/tabFocus.js';
import Editor from '@monaco-editor/react';
import { Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { openDialog } from '../layers/dialogs';
import { download, program, room, roomState, run, session, stop } from '../page';
import type { Failure } from '../console/trace';
import { codeHash } from '../run/codeHash';
import { readLastOutput } from '../run/lastOutput';
import type { Run } from '../run/session';
import { changeSettings, settings } from '../settings/settings';
import { useStore } from '../store';
import { strings } from '../strings';
import { editBetween } from '../text/edit';
import { late } from '../ui/late';
import { useLayout } from '../ui/layout';
import { themeInForce } from '../ui/theme';
import { followed, stopFollowing } from '../people/follow';
import { caret, isEditorFocused, provideEditor } from './control';
import { EdgeChips } from './EdgeChips';
import { FailureMark } from './failureMark';
import { FollowFrame } from './FollowFrame';
import { monaco, PLAIN_BRACKETS } from './monaco';
import { registerPython } from './python';
import { shareModel } from './sharedModel';
import { applyTheme, THEME } from './theme';

type CodeEditorView = monaco.editor.IStandaloneCodeEditor;

const EmptyRoom = late(async () => (await import('../examples/EmptyRoom')).EmptyRoom);

const FONT = "'JetBrains Mono Variable'";

const LINE_TO_FONT = 22 / 14;

const OPTIONS: monaco.editor.IStandaloneEditorConstructionOptions = {
    accessibilitySupport: 'auto',
    ariaLabel: strings.editor.aria,
    automaticLayout: true,
    fixedOverflowWidgets: true,
    folding: true,
    fontFamily: `${FONT}, ui-monospace, 'DejaVu Sans Mono', monospace`,
    fontLigatures: false,
    glyphMargin: true,
    guides: { indentation: false },
    hideCursorInOverviewRuler: true,
    lineNumbersMinChars: 3,
    minimap: { enabled: false },
    overviewRulerLanes: 0,
    padding: { top: 20, bottom: 20 },
    readOnly: true,
    renderLineHighlight: 'none',
    renderLineHighlightOnlyWhenFocus: true,
    scrollBeyondLastLine: false,
    smoothScrolling: false,
    tabSize: 4,
    theme: THEME,
    wordBasedSuggestions: 'currentDocument',
};

registerPython();
applyTheme();

/** What both texts have at their ends stays, and with it other people's cursors there. */
function replaceText(view: CodeEditorView, text: string): void {
    const model = view.getModel();
    const edit = model && editBetween(model.getValue(), text);
    if (model && edit) {
        const range = monaco.Range.fromPositions(
            model.getPositionAt(edit.at),
            model.getPositionAt(edit.at + edit.removed),
        );
        view.pushUndoStop();
        view.executeEdits('vve', [{ range, text: edit.inserted }]);
        view.pushUndoStop();
    }
}

function controlOf(view: CodeEditorView): () => void {
    return provideEditor({
        focus: () => view.focus(),
        reveal: (line) => {
            stopFollowing();
            const last = view.getModel()?.getLineCount() ?? 1;
            const target = Math.min(line, last);
            view.layout();
            view.setPosition({ lineNumber: target, column: 1 });
            view.revealLineInCenterIfOutsideViewport(target);
            view.focus();
        },
        replace: (text) => replaceText(view, text),
        type: (text) => {
            // As the keyboard, so that brackets are closed.
            if (text === '\t') {
                view.trigger('keyboard', 'tab', null);
            } else {
                view.trigger('keyboard', 'type', { text });
            }
        },
        undo: () => view.trigger('keyboard', 'undo', null),
        walkErrors: (step) => {
            const way = step > 0 ? 'next' : 'prev';
            void view.getAction(`editor.action.marker.${way}`)?.run();
            return monaco.editor.getModelMarkers({ resource: view.getModel()!.uri }).length > 0;
        },
    });
}

/** Where the run failed is shown for as long as that line reads as it did. */
function failureNow(run: Run | undefined): Failure | null {
    const failure = run?.failure ?? null;
    const place = failure && room.get()?.anchors.find(run!.codeHash, failure.line);
    if (place) {
        return place.isEdited ? null : { ...failure, line: place.line };
    }
    return run?.codeHash === codeHash(program.get().text) ? failure : null;
}

function markFailures(view: CodeEditorView): () => void {
    const mark = new FailureMark(view);
    let shown: Run | undefined;
    const update = (): void => {
        const last = session.state.get().runs.at(-1);
        if (last?.failure !== shown?.failure) {
            mark.show(failureNow(last));
        }
        shown = last;
    };
    update();
    return session.state.subscribe(update);
}

function reportCaret(view: CodeEditorView): () => void {
    const report = (): void => {
        const position = view.getPosition();
        caret.set({
            line: position?.lineNumber ?? 1,
            column: position?.column ?? 1,
            tabMovesFocus: TabFocus.getTabFocusMode(),
        });
    };
    view.onDidChangeCursorPosition(report);
    // Ctrl+M changes this for all editors; it is not among the options of this one.
    const tab = TabFocus.onDidChangeTabFocus(report);
    report();
    return () => tab.dispose();
}

function reportFocus(view: CodeEditorView): () => void {
    view.onDidFocusEditorText(() => isEditorFocused.set(true));
    view.onDidBlurEditorText(() => isEditorFocused.set(false));
    return () => isEditorFocused.set(false);
}

/** What the person has chosen; Ctrl+M in the editor chooses too. */
function obeySettings(view: CodeEditorView): () => void {
    const apply = (): void => {
        const { fontSize, isWrapped, isTabLeaving } = settings.get();
        const lineHeight = Math.round(fontSize * LINE_TO_FONT);
        view.updateOptions({ fontSize, lineHeight, wordWrap: isWrapped ? 'on' : 'off' });
        if (TabFocus.getTabFocusMode() !== isTabLeaving) {
            TabFocus.setTabFocusMode(isTabLeaving);
        }
    };
    const tab = TabFocus.onDidChangeTabFocus((isTabLeaving) =>
        changeSettings({ isTabLeaving }),
    );
    const forget = settings.subscribe(apply);
    apply();
    return () => {
        forget();
        tab.dispose();
    };
}

/** The page's own commands, in Monaco's command list (F1); ui/keys.ts hears the keys first. */
function addActions(view: CodeEditorView): void {
    const { KeyCode, KeyMod } = monaco;
    const actions: [id: string, label: string, key: number | null, run: () => void][] = [
        ['vve.run', strings.editor.runAction, KeyMod.CtrlCmd | KeyCode.Enter, run],
        ['vve.stop', strings.editor.stopAction, KeyMod.CtrlCmd | KeyCode.Period, stop],
        ['vve.save', strings.editor.downloadAction, KeyMod.CtrlCmd | KeyCode.KeyS, download],
        ['vve.read', strings.editor.readAction, null, readLastOutput],
        ['vve.keys', strings.editor.keysAction, null, () => openDialog({ kind: 'keys' })],
        ['vve.settings', strings.header.settings, null, () => openDialog({ kind: 'settings' })],
    ];
    for (const [id, label, key, action] of actions) {
        const keybindings = key === null ? [] : [key];
        view.addAction({ id, label, keybindings, run: action });
    }
}

/** Letters are measured once; measured before the font is there, the cursor would be off. */
async function remeasure(): Promise<void> {
    await document.fonts.load(`14px ${FONT}`);
    monaco.editor.remeasureFonts();
}

/** Everything that lives as long as the editor. */
function equip(view: CodeEditorView): () => void {
    view.getModel()?.updateOptions({ bracketColorizationOptions: PLAIN_BRACKETS });
    const steps = [
        obeySettings(view),
        controlOf(view),
        markFailures(view),
        reportCaret(view),
        reportFocus(view),
    ];
    addActions(view);
    void remeasure();
    performance.mark('editor-ready');
    return () => steps.forEach((step) => step());
}

/** Where the text begins, CSS pixels from the left of the editor. */
function useTextLeft(view: CodeEditorView): number {
    return useSyncExternalStore(
        (listener) => {
            const layout = view.onDidLayoutChange(listener);
            return () => layout.dispose();
        },
        () => view.getLayoutInfo().contentLeft,
    );
}

function Beginning({ view }: { view: CodeEditorView }) {
    const { text } = useStore(program);
    const { hasText } = useStore(roomState);
    const left = useTextLeft(view);
    return (
        hasText &&
        text === '' && (
            <Suspense fallback={null}>
                <EmptyRoom left={left} />
            </Suspense>
        )
    );
}

export default function CodeEditor() {
    const [view, setView] = useState<CodeEditorView | null>(null);
    const theme = useStore(themeInForce);
    const place = useStore(room);
    const { hasText, connection } = useStore(roomState);
    const isFollowing = useStore(followed) !== null;
    const isNarrow = useLayout() === 'single';

    useEffect(() => applyTheme(), [theme]);
    useEffect(() => (view ? equip(view) : undefined), [view]);
    useEffect(
        // Not before the text is there: the editor would overwrite it with nothing.
        () => (view && place && hasText ? shareModel(view, place, roomState) : undefined),
        [view, place, hasText],
    );
    useEffect(() => {
        const { joining, placeholder: long, placeholderShort: short } = strings.editor;
        const coming = connection === 'ended' ? '' : joining;
        const placeholder = hasText ? (isNarrow ? short : long) : coming;
        view?.updateOptions({ readOnly: !hasText, placeholder });
    }, [view, hasText, isNarrow, connection]);

    return (
        <>
            <Editor
                path={strings.app.file}
                language="python"
                theme={THEME}
                defaultValue=""
                options={OPTIONS}
                loading={null}
                onMount={setView}
            />
            <FollowFrame />
            {view && !isFollowing && <EdgeChips view={view} />}
            {view && <Beginning view={view} />}
        </>
    );
}

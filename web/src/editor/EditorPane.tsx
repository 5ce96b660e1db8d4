// The place of the editor: empty while Monaco loads, the plain box if it cannot.
import { Component, lazy, Suspense, type ReactNode } from 'react';
import { strings } from '../strings';
import { late } from '../ui/late';
import { useLayout } from '../ui/layout';
import { editorCame } from './control';
import { PlainEditor } from './PlainEditor';
import css from './EditorPane.module.css';

const KeyRow = late(async () => {
    await editorCame;
    return (await import('./KeyRow')).KeyRow;
});
const DropPlace = late(async () => {
    await editorCame;
    return (await import('../file/DropPlace')).DropPlace;
});
const CodeEditor = lazy(() => import('./CodeEditor'));

class PlainIfBroken extends Component<{ children: ReactNode }, { isBroken: boolean }> {
    override state = { isBroken: false };

    static getDerivedStateFromError(): { isBroken: boolean } {
        return { isBroken: true };
    }

    override render(): ReactNode {
        return this.state.isBroken ? <PlainEditor /> : this.props.children;
    }
}

export function EditorPane() {
    const isNarrow = useLayout() === 'single';
    return (
        <div className={css.pane}>
            <div className={css.editor}>
                <PlainIfBroken>
                    <Suspense
                        fallback={<p className={css.loading}>{strings.editor.loading}</p>}
                    >
                        <CodeEditor />
                    </Suspense>
                </PlainIfBroken>
            </div>
            <Suspense fallback={null}>{isNarrow && <KeyRow />}</Suspense>
            <Suspense fallback={null}>
                <DropPlace />
            </Suspense>
        </div>
    );
}

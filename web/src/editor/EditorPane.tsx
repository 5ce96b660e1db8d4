// The place of the editor: empty while Monaco loads, the plain box if it cannot.
import { Component, lazy, Suspense, type ReactNode } from 'react';
import { strings } from '../strings';
import { late } from '../ui/late';
import { PlainEditor } from './PlainEditor';
import css from './EditorPane.module.css';

const KeyRow = late(async () => (await import('./KeyRow')).KeyRow);
const DropPlace = late(async () => (await import('../file/DropPlace')).DropPlace);
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
            <Suspense fallback={null}>
                <KeyRow />
                <DropPlace />
            </Suspense>
        </div>
    );
}

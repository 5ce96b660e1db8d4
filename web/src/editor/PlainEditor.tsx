// A plain box on the same text, for browsers in which Monaco could not load: nobody is locked out.
import { useEffect } from 'react';
import { program, room, roomState } from '../page';
import { useStore } from '../store';
import { strings } from '../strings';
import { useSharedBox } from '../text/useSharedBox';
import { provideEditor } from './control';
import css from './EditorPane.module.css';

/** Where a line (1 = first) begins in a text. */
function offsetOf(text: string, line: number): number {
    const before = text.split('\n').slice(0, line - 1);
    return before.reduce((sum, part) => sum + part.length + 1, 0);
}

const writer = () => room.get()?.programWriter;

export function PlainEditor() {
    const { text } = useStore(program);
    const props = useSharedBox(text, writer);
    const box = props.ref;
    const { hasText } = useStore(roomState);

    useEffect(
        () =>
            provideEditor({
                focus: () => box.current?.focus(),
                reveal: (line) => {
                    const at = offsetOf(box.current?.value ?? '', line);
                    box.current?.focus();
                    box.current?.setSelectionRange(at, at);
                },
                replace: (text) => writer()?.replace(text),
                type: (typed) => document.execCommand('insertText', false, typed),
                undo: () => writer()?.undo(),
                walkErrors: () => false,
            }),
        [box],
    );

    return (
        <div className={css.plain}>
            <p role="status">{strings.editor.failed}</p>
            <textarea
                {...props}
                aria-label={strings.app.file}
                spellCheck={false}
                autoCapitalize="off"
                autoComplete="off"
                readOnly={!hasText}
            />
        </div>
    );
}

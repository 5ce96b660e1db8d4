// A plain box on the same text, for browsers in which Monaco could not load: nobody is locked out.
import { useEffect, useLayoutEffect, useRef } from 'react';
import { program, room, roomState } from '../page';
import { useStore } from '../store';
import { strings } from '../strings';
import { editBetween, shifted } from '../text/edit';
import { provideEditor } from './control';
import css from './EditorPane.module.css';

/** Where a line (1 = first) begins in a text. */
function offsetOf(text: string, line: number): number {
    const before = text.split('\n').slice(0, line - 1);
    return before.reduce((sum, part) => sum + part.length + 1, 0);
}

export function PlainEditor() {
    const box = useRef<HTMLTextAreaElement>(null);
    const { text } = useStore(program);
    const { hasText } = useStore(roomState);

    // A box that is given another text puts its cursor at the end; here it stays where it was.
    useLayoutEffect(() => {
        const area = box.current!;
        const { selectionStart, selectionEnd } = area;
        const edit = editBetween(area.value, text);
        if (edit !== null) {
            area.value = text;
            area.setSelectionRange(shifted(selectionStart, edit), shifted(selectionEnd, edit));
        }
    }, [text]);

    useEffect(
        () =>
            provideEditor({
                focus: () => box.current?.focus(),
                reveal: (line) => {
                    const at = offsetOf(box.current?.value ?? '', line);
                    box.current?.focus();
                    box.current?.setSelectionRange(at, at);
                },
                replace: (text) => room.get()?.write(text),
            }),
        [],
    );

    return (
        <div className={css.plain}>
            <p role="status">{strings.editor.failed}</p>
            <textarea
                ref={box}
                aria-label={strings.app.file}
                spellCheck={false}
                autoCapitalize="off"
                autoComplete="off"
                defaultValue=""
                readOnly={!hasText}
                onInput={() => room.get()?.write(box.current!.value)}
            />
        </div>
    );
}

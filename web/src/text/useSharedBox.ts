// Ties a plain box to a text that others change too.
import { useEffect, useLayoutEffect, useRef, type KeyboardEvent, type RefObject } from 'react';
import type { Writer } from '../room/writer';
import { editBetween, shifted } from './edit';

interface BoxProps {
    ref: RefObject<HTMLTextAreaElement>;
    defaultValue: string;
    onInput(): void;
    onKeyDown(event: KeyboardEvent): void;
}

/** What these keys take back (undo) or bring back (redo), or null for other keys. */
function historyKey({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent) {
    const letter = (ctrlKey || metaKey) && !altKey ? key.toLowerCase() : '';
    if (letter === 'z') {
        return shiftKey ? 'redo' : 'undo';
    }
    return letter === 'y' ? 'redo' : null;
}

/**
 * Properties for the box: it shows `text`, and what is typed goes to the writer. A box whose text is
 * replaced puts its cursor at the end, and forgets what it could undo; here the cursor stays where it
 * was in the text, and undo is the writer's.
 */
export function useSharedBox(text: string, writer: () => Writer | undefined): BoxProps {
    const ref = useRef<HTMLTextAreaElement>(null);
    useLayoutEffect(() => {
        const area = ref.current!;
        const { selectionStart, selectionEnd } = area;
        const edit = editBetween(area.value, text);
        if (edit !== null) {
            area.value = text;
            area.setSelectionRange(shifted(selectionStart, edit), shifted(selectionEnd, edit));
        }
    }, [text]);
    // The browser's own menu has undo as well.
    useEffect(() => {
        const area = ref.current!;
        const onHistory = (event: InputEvent): void => {
            if (event.inputType === 'historyUndo' || event.inputType === 'historyRedo') {
                event.preventDefault();
                writer()?.[event.inputType === 'historyUndo' ? 'undo' : 'redo']();
            }
        };
        area.addEventListener('beforeinput', onHistory);
        return () => area.removeEventListener('beforeinput', onHistory);
    }, [writer]);
    return {
        ref,
        defaultValue: '',
        onInput: () => writer()?.write(ref.current!.value),
        onKeyDown: (event) => {
            const step = historyKey(event);
            if (step !== null) {
                event.preventDefault();
                writer()?.[step]();
            }
        },
    };
}

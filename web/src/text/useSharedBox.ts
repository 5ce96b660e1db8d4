// Ties a plain box to a text that others change too.
import { useLayoutEffect, useRef, type RefObject } from 'react';
import { editBetween, shifted } from './edit';

/**
 * Shows the text in the box that is given what this returns. A box whose text is replaced puts its
 * cursor at the end; here it stays where it was in the text.
 */
export function useSharedBox(text: string): RefObject<HTMLTextAreaElement> {
    const box = useRef<HTMLTextAreaElement>(null);
    useLayoutEffect(() => {
        const area = box.current!;
        const { selectionStart, selectionEnd } = area;
        const edit = editBetween(area.value, text);
        if (edit !== null) {
            area.value = text;
            area.setSelectionRange(shifted(selectionStart, edit), shifted(selectionEnd, edit));
        }
    }, [text]);
    return box;
}

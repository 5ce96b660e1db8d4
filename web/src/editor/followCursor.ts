// Keeps the cursor of the person who is followed on the screen. Who edits or scrolls by themselves
// wants to look elsewhere, and follows no longer.
import type { Transaction, YTextEvent } from 'yjs';
import { cursors } from '../people/cursors';
import { followed, stopFollowing } from '../people/follow';
import type { Room } from '../room/room';
import { monaco } from './monaco';
import { TIDY } from './tidy';

const { KeyCode } = monaco;

/** Keys that move what is seen. */
const SCROLLING = new Set([
    KeyCode.UpArrow,
    KeyCode.DownArrow,
    KeyCode.PageUp,
    KeyCode.PageDown,
    KeyCode.Home,
    KeyCode.End,
]);

/** Returns a function that stops it. */
export function followCursor(
    view: monaco.editor.IStandaloneCodeEditor,
    room: Room,
): () => void {
    const frame = view.getDomNode();
    const show = (): void => {
        const client = followed.get();
        const place = client === null ? undefined : cursors.get()?.get(client);
        if (place !== undefined) {
            view.revealPositionInCenterIfOutsideViewport(
                { lineNumber: place.line, column: place.column },
                monaco.editor.ScrollType.Immediate,
            );
        }
    };
    const onPointer = ({ target }: PointerEvent): void => {
        if (target instanceof Element && target.closest('.scrollbar') !== null) {
            stopFollowing();
        }
    };
    const onText = (_event: YTextEvent, { local, origin }: Transaction): void => {
        if (local && origin !== TIDY) {
            stopFollowing();
        }
    };
    const keys = view.onKeyDown(({ keyCode }) => {
        if (SCROLLING.has(keyCode)) {
            stopFollowing();
        }
    });
    const parts = [followed.subscribe(show), cursors.subscribe(show)];
    const passive = { capture: true, passive: true };
    frame?.addEventListener('wheel', stopFollowing, passive);
    frame?.addEventListener('touchmove', stopFollowing, passive);
    frame?.addEventListener('pointerdown', onPointer, passive);
    room.text.observe(onText);
    return () => {
        keys.dispose();
        parts.forEach((part) => part());
        frame?.removeEventListener('wheel', stopFollowing, passive);
        frame?.removeEventListener('touchmove', stopFollowing, passive);
        frame?.removeEventListener('pointerdown', onPointer, passive);
        room.text.unobserve(onText);
    };
}

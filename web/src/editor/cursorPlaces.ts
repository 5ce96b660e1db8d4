// Tells the page on which lines the others are, at most once a frame.
import * as Y from 'yjs';
import { cursors, type Place } from '../people/cursors';
import type { Room } from '../room/room';
import type { CursorShare } from './cursorShare';
import type { monaco } from './monaco';

function isSame(a: ReadonlyMap<number, Place> | null, b: ReadonlyMap<number, Place>): boolean {
    return (
        a?.size === b.size &&
        [...b].every(([client, { line, column }]) => {
            const before = a.get(client);
            return before?.line === line && before.column === column;
        })
    );
}

/** Returns a function that stops it. */
export function publishPlaces(
    model: monaco.editor.ITextModel,
    room: Room,
    share: CursorShare,
): () => void {
    let frame = 0;
    const publish = (): void => {
        frame = 0;
        const places = new Map<number, Place>();
        for (const [client, { selection }] of share.getStates()) {
            const found = Y.createAbsolutePositionFromRelativePosition(
                selection.head,
                room.doc,
            );
            if (found !== null) {
                const { lineNumber: line, column } = model.getPositionAt(found.index);
                places.set(client, { line, column });
            }
        }
        if (!isSame(cursors.get(), places)) {
            cursors.set(places);
        }
    };
    const plan = (): void => {
        frame ||= requestAnimationFrame(publish);
    };
    share.on('change', plan);
    const content = model.onDidChangeContent(plan);
    publish();
    return () => {
        cancelAnimationFrame(frame);
        share.off('change', plan);
        content.dispose();
        cursors.set(null);
    };
}

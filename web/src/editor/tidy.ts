// Takes out of a shared text what Monaco cannot hold at the same place: a CR before an LF, and
// anything that is no text.
import type { Text, YTextEvent } from 'yjs';

/** The origin of the edits made here. */
export const TIDY = 'tidy';

/** Whether a change brought in something that may have to go. */
export function returnsIn(delta: YTextEvent['delta']): boolean {
    return delta.some(
        ({ insert }) =>
            insert !== undefined && (typeof insert !== 'string' || insert.includes('\r')),
    );
}

/** Where something has to go; each is one place long. Last first. */
function cutsIn(text: Text): number[] {
    const cuts: number[] = [];
    let at = 0;
    let isAfterReturn = false;
    for (const { insert } of text.toDelta() as { insert: unknown }[]) {
        if (typeof insert !== 'string') {
            cuts.push(at);
            at += 1;
            continue;
        }
        for (let n = 0; n < insert.length; n++, at++) {
            if (isAfterReturn && insert[n] === '\n') {
                cuts.push(at - 1);
            }
            isAfterReturn = insert[n] === '\r';
        }
    }
    return cuts.sort((a, b) => b - a);
}

export function tidy(text: Text): void {
    const cuts = cutsIn(text);
    if (cuts.length > 0) {
        text.doc?.transact(() => {
            for (const at of cuts) {
                text.delete(at, 1);
            }
        }, TIDY);
    }
}

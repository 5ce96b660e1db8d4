// The difference of two texts as one replacement, and what it does to a place in the text.

export interface Edit {
    /** UTF-16 units before it. */
    at: number;
    removed: number;
    inserted: string;
}

function isHigh(unit: number): boolean {
    return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
    return unit >= 0xdc00 && unit < 0xe000;
}

/** Null: they are the same. Never cuts a pair of surrogates, which Yjs could not mend. */
export function editBetween(before: string, after: string): Edit | null {
    if (before === after) {
        return null;
    }
    const most = Math.min(before.length, after.length);
    let head = 0;
    while (head < most && before.charCodeAt(head) === after.charCodeAt(head)) {
        head += 1;
    }
    if (head > 0 && isHigh(before.charCodeAt(head - 1))) {
        head -= 1;
    }
    let tail = 0;
    while (
        tail < most - head &&
        before.charCodeAt(before.length - 1 - tail) ===
            after.charCodeAt(after.length - 1 - tail)
    ) {
        tail += 1;
    }
    if (tail > 0 && isLow(before.charCodeAt(before.length - tail))) {
        tail -= 1;
    }
    return {
        at: head,
        removed: before.length - head - tail,
        inserted: after.slice(head, after.length - tail),
    };
}

/** Where a place in the text is after an edit. */
export function shifted(offset: number, { at, removed, inserted }: Edit): number {
    if (offset <= at) {
        return offset;
    }
    return offset >= at + removed
        ? offset - removed + inserted.length
        : at + Math.min(offset - at, inserted.length);
}

/** Only LF ends a line. */
export function withoutReturns(text: string): string {
    return text.replace(/\r\n?/g, '\n');
}

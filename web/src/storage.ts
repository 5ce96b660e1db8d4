// What the browser keeps for this page. Storage can be forbidden or full: reading then finds
// nothing, and writing says so instead of throwing.

export function recall(key: string, area: Storage | null = localArea()): string | null {
    try {
        return area?.getItem(`vve:${key}`) ?? null;
    } catch {
        return null;
    }
}

/** Returns whether the value is kept; null removes it. */
export function keep(
    key: string,
    value: string | null,
    area: Storage | null = localArea(),
): boolean {
    try {
        if (area === null) {
            return false;
        }
        if (value === null) {
            area.removeItem(`vve:${key}`);
        } else {
            area.setItem(`vve:${key}`, value);
        }
        return true;
    } catch {
        return false;
    }
}

function localArea(): Storage | null {
    try {
        return window.localStorage;
    } catch {
        return null;
    }
}

/** Kept for this tab only, also across a reload. */
export function tabArea(): Storage | null {
    try {
        return window.sessionStorage;
    } catch {
        return null;
    }
}

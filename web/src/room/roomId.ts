// The room is the last part of the page's address, and whoever knows it may come in: so a new one
// has to be impossible to guess.

/** As the daemon takes them. */
const GOOD = /^[A-Za-z0-9_-]{1,64}$/;
const RANDOM_BYTES = 12;

export type Place = { kind: 'room'; id: string } | { kind: 'new' } | { kind: 'bad' };

export function placeOf(path: string): Place {
    const id = /^\/r\/(.*?)\/?$/s.exec(path)?.[1];
    if (id === undefined) {
        return { kind: 'new' };
    }
    return GOOD.test(id) ? { kind: 'room', id } : { kind: 'bad' };
}

export function pathOf(id: string): string {
    return `/r/${id}`;
}

/** 96 random bits in 16 letters. crypto.randomUUID is not there on plain http; this is. */
export function newRoomId(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
    return btoa(String.fromCharCode(...bytes))
        .replaceAll('+', '-')
        .replaceAll('/', '_');
}

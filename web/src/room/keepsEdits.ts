// Whether this browser keeps the edits of rooms, and of which rooms it does since when. A shared
// computer may be told not to; then everything that was kept goes.
import { keep, recall } from '../storage';
import { Store } from '../store';

const CHOICE = 'keeps-edits';
const ROOMS = 'rooms';
const NO = 'no';
/** Not used for as long, a room's edits are forgotten. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

export const keepsEdits = new Store(recall(CHOICE) !== NO);

export function databaseOf(roomId: string): string {
    return `vve:room:${roomId}`;
}

/** When each room was last used here. */
function uses(): Map<string, number> {
    try {
        const kept: unknown = JSON.parse(recall(ROOMS) ?? '{}');
        const entries = Object.entries(kept as object);
        return new Map(entries.filter(([, at]) => typeof at === 'number'));
    } catch {
        return new Map();
    }
}

function keepUses(rooms: ReadonlyMap<string, number>): void {
    keep(ROOMS, rooms.size === 0 ? null : JSON.stringify(Object.fromEntries(rooms)));
}

export function noteUse(roomId: string, now: number): void {
    keepUses(uses().set(roomId, now));
}

/** Forgets the rooms that were last used before then. */
export function forgetRooms(before: number): void {
    const rooms = uses();
    for (const [roomId, at] of rooms) {
        if (at < before) {
            rooms.delete(roomId);
            try {
                indexedDB.deleteDatabase(databaseOf(roomId));
            } catch {
                // Storage is forbidden: then nothing was kept.
            }
        }
    }
    keepUses(rooms);
}

export function forgetOldRooms(now: number): void {
    forgetRooms(now - KEPT_MS);
}

keepsEdits.subscribe(() => {
    const isKeeping = keepsEdits.get();
    keep(CHOICE, isKeeping ? null : NO);
    if (!isKeeping) {
        forgetRooms(Infinity);
    }
});

// Another tab has been told.
globalThis.addEventListener?.('storage', ({ key }) => {
    if (key === `vve:${CHOICE}`) {
        keepsEdits.set(recall(CHOICE) !== NO);
    }
});

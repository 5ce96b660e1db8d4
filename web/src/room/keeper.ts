// Keeps a room's edits in this browser, so that what was typed offline survives a reload. Knows
// whether everything is kept so far: y-indexeddb writes without saying when it is done or that it
// failed, but the number of the last piece that is read after a write tells.
import { getLastKey, transact } from 'lib0/indexeddb';
import { IndexeddbPersistence } from 'y-indexeddb';
import type * as Y from 'yjs';
import { databaseOf, forgetOldRooms, noteUse } from './keepsEdits';

/** Where y-indexeddb puts what it is given. */
const PIECES = 'updates';
const PROBE = 'vve';
/** How often a room in use is noted to be. */
const NOTE_MS = 60 * 60 * 1000;

/** Asked of a database of our own, because y-indexeddb leaves a refusal to nobody. */
function isStorageAllowed(): Promise<boolean> {
    return new Promise((resolve) => {
        try {
            const request = indexedDB.open(PROBE);
            request.onerror = () => resolve(false);
            request.onsuccess = () => {
                request.result.close();
                resolve(true);
            };
        } catch {
            resolve(false);
        }
    });
}

export class Keeper {
    private store: IndexeddbPersistence | null = null;
    private isClosed = false;
    private isReading = false;
    /** A piece could not be written; the ones after it may be worth nothing. */
    private isBroken = false;
    private changes = 0;
    /** How many of the changes are known to be written. */
    private written = -1;
    private lastPiece = -1;
    private noted = 0;

    constructor(
        private readonly roomId: string,
        private readonly doc: Y.Doc,
        /** What was kept is in the document now. */
        private readonly onLoaded: () => void,
    ) {
        void this.open();
    }

    get hasAll(): boolean {
        return !this.isClosed && !this.isBroken && this.written === this.changes;
    }

    /** Whether edits come from here, and not from a person or the daemon. */
    isOrigin(origin: unknown): boolean {
        return this.store !== null && origin === this.store;
    }

    /** Keeps nothing from now on, and nothing of before. */
    forget(): void {
        this.isClosed = true;
        this.doc.off('update', this.onUpdate);
        void this.store?.clearData();
    }

    private async open(): Promise<void> {
        if (!(await isStorageAllowed()) || this.isClosed) {
            return;
        }
        forgetOldRooms(Date.now());
        this.note();
        this.store = new IndexeddbPersistence(databaseOf(this.roomId), this.doc);
        this.doc.on('update', this.onUpdate);
        await this.store.whenSynced;
        if (!this.isClosed) {
            this.onLoaded();
            void this.read();
        }
    }

    private readonly onUpdate = (_update: Uint8Array, origin: unknown): void => {
        if (!this.isOrigin(origin)) {
            this.changes += 1;
            void this.read();
        }
    };

    /** Finds out how much is written. A reader waits for the writers before it. */
    private async read(): Promise<void> {
        const database = this.store?.synced ? this.store.db : null;
        if (database === null || this.isReading) {
            return;
        }
        this.isReading = true;
        try {
            while (!this.isClosed && !this.isBroken && !this.hasAll) {
                const { changes } = this;
                const [pieces] = transact(database, [PIECES], 'readonly');
                const last = Number(await getLastKey(pieces!));
                this.isBroken = last <= this.lastPiece;
                this.lastPiece = last;
                this.written = changes;
            }
        } catch {
            this.isBroken = true;
        }
        this.isReading = false;
        this.note();
    }

    private note(): void {
        const now = Date.now();
        if (!this.isClosed && now - this.noted > NOTE_MS) {
            this.noted = now;
            noteUse(this.roomId, now);
        }
    }
}

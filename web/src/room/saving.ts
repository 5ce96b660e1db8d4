// Whether the daemon has what is typed here: asks at once after an edit, then once a second while
// something may not be there, now and then otherwise, and says when an answer takes long.
import type * as Y from 'yjs';
import { Receipts } from './receipts';

const BUSY_MS = 1_000;
const IDLE_MS = 5_000;
/** An answer that takes longer is waited for in public. */
const SLOW_MS = 1_000;

export interface SavingPorts {
    /** Sends a state vector; the answer comes to `answered`. */
    ask(vector: Uint8Array): void;
    onSlow(isSlow: boolean): void;
}

export class Saving {
    private readonly receipts: Receipts;
    private isOpen = false;
    private isAsking = false;
    private lastAsked = -Infinity;
    private askTimer: ReturnType<typeof setTimeout> | undefined;
    private slowTimer: ReturnType<typeof setTimeout> | undefined;

    constructor(
        doc: Y.Doc,
        private readonly ports: SavingPorts,
    ) {
        this.receipts = new Receipts(doc);
    }

    get isOwing(): boolean {
        return this.receipts.isOwing;
    }

    /** Connected, and each side has been sent what it lacked. */
    open(): void {
        this.isOpen = true;
        this.plan();
    }

    close(): void {
        this.isOpen = false;
        this.isAsking = false;
        this.receipts.hangUp();
        clearTimeout(this.askTimer);
        clearTimeout(this.slowTimer);
        this.ports.onSlow(false);
    }

    /** An edit was made at this page. */
    changed(): void {
        this.receipts.changed();
        this.plan();
    }

    /** The daemon says what it has. */
    told(vector: Uint8Array): void {
        this.receipts.told(vector);
    }

    /** Edits came from elsewhere than the daemon. */
    loaded(): void {
        this.receipts.compare();
        this.plan();
    }

    answered(update: Uint8Array): void {
        const isThere = this.receipts.answered(update);
        if (isThere !== null) {
            clearTimeout(this.slowTimer);
            this.isAsking = false;
            this.ports.onSlow(!isThere);
            this.plan();
        }
    }

    private plan(): void {
        if (this.isOpen && !this.isAsking) {
            clearTimeout(this.askTimer);
            const pause = this.isOwing ? BUSY_MS : IDLE_MS;
            const due = this.lastAsked + pause - Date.now();
            this.askTimer = setTimeout(this.ask, Math.max(0, due));
        }
    }

    private readonly ask = (): void => {
        this.isAsking = true;
        this.lastAsked = Date.now();
        this.slowTimer = setTimeout(() => this.ports.onSlow(this.isOwing), SLOW_MS);
        this.ports.ask(this.receipts.ask());
    };
}

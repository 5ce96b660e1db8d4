// What of this page's edits the daemon is known to have. Yjs has no receipts, but whoever sends a
// state vector is sent all that it lacks. So we ask with a vector that is one short wherever we are
// not sure: if the answer holds that last piece, it holds everything before it too. Deletions are
// in no vector; they are there when a question that went after them has been answered.
import * as Y from 'yjs';

/** How far each client's work goes. */
type Clocks = Map<number, number>;

interface Question {
    changes: number;
    clocks: Clocks;
}

function clocksOf(doc: Y.Doc): Clocks {
    return Y.decodeStateVector(Y.encodeStateVector(doc));
}

/** How far the pieces of one client in an update go; 0: it holds none. */
function reach(update: ReturnType<typeof Y.decodeUpdate>, client: number): number {
    const ends = update.structs
        .filter(({ id }) => id.client === client)
        .map(({ id, length }) => id.clock + length);
    return Math.max(0, ...ends);
}

export class Receipts {
    /** What we have and the daemon may not. */
    private readonly owed: Clocks = new Map();
    private changes = 0;
    private acknowledged = 0;
    private question: Question | null = null;
    /** What the daemon said to have when it was connected to; null: it never was. */
    private theirs: Clocks | null = null;

    constructor(private readonly doc: Y.Doc) {}

    /** Whether something of ours may not be there. */
    get isOwing(): boolean {
        return this.changes > this.acknowledged;
    }

    /** An edit was made at this page. */
    changed(): void {
        this.changes += 1;
        const { clientID } = this.doc;
        const clock = clocksOf(this.doc).get(clientID);
        if (clock !== undefined) {
            this.owed.set(clientID, clock);
        }
    }

    /** The daemon says what it has. */
    told(vector: Uint8Array): void {
        this.theirs = Y.decodeStateVector(vector);
        this.compare();
    }

    /** Something came from elsewhere than the daemon, which may lack it. */
    compare(): void {
        const { theirs } = this;
        if (theirs === null) {
            return;
        }
        for (const [client, clock] of clocksOf(this.doc)) {
            if (clock > (theirs.get(client) ?? 0)) {
                this.owed.set(client, clock);
                this.changes += 1;
            }
        }
    }

    /** The state vector to ask with. */
    ask(): Uint8Array {
        const vector = clocksOf(this.doc);
        for (const [client, clock] of this.owed) {
            vector.set(client, clock - 1);
        }
        this.question = { changes: this.changes, clocks: new Map(this.owed) };
        return Y.encodeStateVector(vector);
    }

    /** Returns whether all that was asked about is there; null: this answers nothing. */
    answered(update: Uint8Array): boolean | null {
        const { question } = this;
        if (question === null) {
            return null;
        }
        this.question = null;
        const decoded = Y.decodeUpdate(update);
        let isThere = true;
        for (const [client, clock] of question.clocks) {
            if (reach(decoded, client) < clock) {
                isThere = false;
            } else if (this.owed.get(client) === clock) {
                this.owed.delete(client);
            }
        }
        if (isThere) {
            this.acknowledged = question.changes;
        }
        return isThere;
    }

    /** A question on a connection that is gone gets no answer. */
    hangUp(): void {
        this.question = null;
    }
}

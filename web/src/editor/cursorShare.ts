// Stands between y-monaco and the room's awareness. y-monaco believes what others say of their
// cursors, and a made-up place throws where it draws them; so only places in our text that can be
// found get through. It also keeps the cursors' names and colours in step.
import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Person } from '../room/person';
import type { Room } from '../room/room';
import type { RoomState } from '../room/roomState';
import type { Store } from '../store';
import { CursorStyles } from './cursorStyles';

interface Selection {
    anchor: Y.RelativePosition;
    head: Y.RelativePosition;
}

type Json = Record<string, unknown>;

function isJson(value: unknown): value is Json {
    return typeof value === 'object' && value !== null;
}

function isNumber(value: unknown): value is number {
    return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** The place in the root type `name` that another browser speaks of; null: it is none. */
export function placeOf(value: unknown, name: string): Y.RelativePosition | null {
    if (!isJson(value) || value.tname !== name || (value.type ?? null) !== null) {
        return null;
    }
    const { item, assoc } = value;
    const side = assoc === -1 ? -1 : 0;
    if ((item ?? null) === null) {
        return new Y.RelativePosition(null, name, null, side);
    }
    return isJson(item) && isNumber(item.client) && isNumber(item.clock)
        ? new Y.RelativePosition(null, name, Y.createID(item.client, item.clock), side)
        : null;
}

export class CursorShare {
    private readonly listeners = new Set<() => void>();
    private readonly styles = new CursorStyles();
    /** What each was last seen to point at, to tell a move from other news. */
    private readonly last = new Map<number, string>();
    private readonly name: string;
    private isClosed = false;

    constructor(
        private readonly room: Room,
        private readonly state: Store<RoomState>,
    ) {
        this.name = Y.findRootTypeKey(room.text);
        room.awareness.on('change', this.onChange);
        this.onChange();
    }

    /** The part of an Awareness that y-monaco asks for. */
    asAwareness(): Awareness {
        return this as unknown as Awareness;
    }

    getStates(): Map<number, { selection: Selection }> {
        const states = new Map<number, { selection: Selection }>();
        for (const { client, isMe } of this.state.get().members) {
            const selection = isMe ? null : this.selectionOf(client);
            if (selection !== null) {
                states.set(client, { selection });
            }
        }
        return states;
    }

    setLocalStateField(field: string, value: unknown): void {
        // y-monaco's listener on the editor outlives the binding.
        if (!this.isClosed) {
            this.room.awareness.setLocalStateField(field, value);
        }
    }

    on(_event: 'change', listener: () => void): void {
        this.listeners.add(listener);
    }

    off(_event: 'change', listener: () => void): void {
        this.listeners.delete(listener);
    }

    close(): void {
        this.isClosed = true;
        this.room.awareness.off('change', this.onChange);
        this.room.awareness.setLocalStateField('selection', null);
        this.styles.close();
    }

    private readonly onChange = (): void => {
        const people = new Map<number, Person>();
        const moved: number[] = [];
        for (const member of this.state.get().members.filter(({ isMe }) => !isMe)) {
            people.set(member.client, member);
            const seen = JSON.stringify(this.selectionOf(member.client));
            if (seen !== this.last.get(member.client)) {
                this.last.set(member.client, seen);
                moved.push(member.client);
            }
        }
        for (const client of this.last.keys()) {
            if (!people.has(client)) {
                this.last.delete(client);
            }
        }
        this.styles.show(people, moved);
        for (const listener of this.listeners) {
            listener();
        }
    };

    private selectionOf(client: number): Selection | null {
        const said: unknown = this.room.awareness.getStates().get(client)?.selection;
        if (!isJson(said)) {
            return null;
        }
        const anchor = placeOf(said.anchor, this.name);
        const head = placeOf(said.head, this.name);
        return anchor && head && this.isFound(anchor) && this.isFound(head)
            ? { anchor, head }
            : null;
    }

    private isFound(place: Y.RelativePosition): boolean {
        try {
            return Y.createAbsolutePositionFromRelativePosition(place, this.room.doc) !== null;
        } catch {
            return false;
        }
    }
}

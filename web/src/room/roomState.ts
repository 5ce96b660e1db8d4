// What the page knows of its room, for everything that is drawn before the room's code has come.
import type { Person } from './person';

export interface Member extends Person {
    /** Of the Yjs document: one for each open page. */
    client: number;
    isMe: boolean;
    /** Whether they have turned to something else. */
    isIdle: boolean;
}

/**
 * connecting: not there yet, or gone for a moment. live: edits travel. offline: gone for longer;
 * edits are kept here and travel later. ended: it will not be tried again; see `end`.
 */
export type Connection = 'connecting' | 'live' | 'offline' | 'ended';

/** bad: no room has such a name. tooLarge, refused: what we hold was turned down. broken: our own
 *  code did not come. */
export type End = 'bad' | 'tooLarge' | 'refused' | 'broken';

/** Names are all that is known of who ran something; null: nobody of that name is here. */
export function colourNamed(members: readonly Member[], name: string | null): number | null {
    return members.find((member) => member.name === name)?.colour ?? null;
}

export interface RoomState {
    connection: Connection;
    end: End | null;
    /** Whether the text has come, once; it can be edited from then on. */
    hasText: boolean;
    /** False: the daemon holds edits that are not written down yet. */
    isSaved: boolean;
    /** True: it takes long until the daemon says that it has what was typed here. */
    isSaving: boolean;
    /** True: this browser keeps the edits too. */
    isKept: boolean;
    /** True: it was offline until a moment ago. */
    isBack: boolean;
    /** True: the text is as large as it may be, and what this page adds is not taken in. */
    isFull: boolean;
    /** Who is here, this page first. */
    members: readonly Member[];
    /** The last event worth saying aloud. */
    announcement: string;
}

export const BEFORE: RoomState = {
    connection: 'connecting',
    end: null,
    hasText: false,
    isSaved: true,
    isSaving: false,
    isKept: false,
    isBack: false,
    isFull: false,
    members: [],
    announcement: '',
};

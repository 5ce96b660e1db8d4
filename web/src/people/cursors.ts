// Where the others are in the text. Only the editor can tell; it has not come yet, or never will,
// while this is null.
import { Store } from '../store';

export interface Place {
    line: number;
    column: number;
}

/** By client. Who has not been in the text yet is not in here. */
export const cursors = new Store<ReadonlyMap<number, Place> | null>(null);

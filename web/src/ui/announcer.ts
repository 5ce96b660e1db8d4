// What screen readers say besides the events of the room and of its runs.
import { Store } from '../store';

export const announcement = new Store('');

/** Said politely, also when it is the same as before. */
export function announce(words: string): void {
    const isSame = announcement.get() === words;
    announcement.set(isSame ? `${words}\u00a0` : words);
}

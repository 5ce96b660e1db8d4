// Whom this page follows: the editor shows where that person is until they leave, or until the one
// at this page wants to see or do something else.
import { roomState } from '../page';
import type { Member } from '../room/roomState';
import { Store, useStore } from '../store';

/** A client, or null for nobody. */
export const followed = new Store<number | null>(null);

export function stopFollowing(): void {
    followed.set(null);
}

roomState.subscribe(() => {
    const client = followed.get();
    if (
        client !== null &&
        !roomState.get().members.some((member) => member.client === client)
    ) {
        stopFollowing();
    }
});

/** The person whom this page follows, or null. */
export function useFollowed(): Member | null {
    const client = useStore(followed);
    const { members } = useStore(roomState);
    return members.find((member) => member.client === client) ?? null;
}

// The session of this page, wired to the daemon and to this tab. Loaded after the frame has been
// painted, together with the room.
import * as client from '../api/client';
import { follow } from '../api/follow';
import { me } from '../room/me';
import { keep, recall, tabArea } from '../storage';
import type { Store } from '../store';
import { Session, type Ports, type SessionState } from './session';

const OWN_RUNS = 'own';

function ownRuns(): string[] {
    return (recall(OWN_RUNS, tabArea()) ?? '').split(' ').filter(Boolean);
}

/** What it needs of the page besides. */
export type PagePorts = Pick<Ports, 'limits' | 'isRoomLive' | 'onTrouble'>;

export function openSession(state: Store<SessionState>, page: PagePorts): Session {
    const ports: Ports = {
        ...page,
        execute: (program) => client.execute({ ...program, by: me.get().name }),
        name: () => me.get().name,
        cancel: client.cancel,
        giveInput: client.giveInput,
        follow,
        now: Date.now,
        nextFrame: (callback) => {
            requestAnimationFrame(callback);
        },
        remember: (jobIds) => {
            keep(OWN_RUNS, jobIds.join(' '), tabArea());
        },
    };
    return new Session(ports, ownRuns(), state);
}

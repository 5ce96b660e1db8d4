// The parts of the page, made once and wired together: the daemon, the room, the two texts, the
// runs.
import * as client from './api/client';
import { follow } from './api/follow';
import { Server } from './api/server';
import { downloadText } from './editor/download';
import { program, textState } from './editor/programText';
import type { PlaceNow } from './room/lineAnchors';
import { me } from './room/me';
import { BEFORE, type End, type RoomState } from './room/roomState';
import type { Room, Seed } from './room/room';
import { newRoomId, pathOf, placeOf } from './room/roomId';
import { Session } from './run/session';
import { keep, recall, tabArea } from './storage';
import { Store } from './store';
import { strings } from './strings';
import { withoutReturns } from './text/edit';

/** The texts that this page kept in the browser before they were shared. */
const DRAFT = 'code';
const INPUT_DRAFT = 'input';
const OWN_RUNS = 'own';

export { me, program };

export const server = new Server();
/** What the program reads, one text for the whole room. */
export const input = new Store(textState(''));
export const roomState = new Store<RoomState>(BEFORE);
/** Null until its code has come. */
export const room = new Store<Room | null>(null);

let roomId: string | undefined;

function ownRuns(): string[] {
    return (recall(OWN_RUNS, tabArea()) ?? '').split(' ').filter(Boolean);
}

export const session = new Session(
    {
        execute: client.execute,
        cancel: client.cancel,
        giveInput: client.giveInput,
        follow,
        limits: () => server.state.get().limits,
        name: () => me.get().name,
        isRoomLive: () => room.get()?.isLive ?? false,
        now: Date.now,
        nextFrame: (callback) => {
            requestAnimationFrame(callback);
        },
        remember: (jobIds) => {
            keep(OWN_RUNS, jobIds.join(' '), tabArea());
        },
        onTrouble: () => void server.check(),
    },
    ownRuns(),
);

function end(reason: End): void {
    roomState.set({ ...roomState.get(), connection: 'ended', end: reason });
}

function newSeed(): Seed {
    return {
        text: withoutReturns(recall(DRAFT) ?? strings.sample),
        input: withoutReturns(recall(INPUT_DRAFT) ?? ''),
    };
}

/** Goes to the room that the address names, or makes one and its address. */
export async function enterRoom(): Promise<void> {
    const place = placeOf(location.pathname);
    if (place.kind === 'bad') {
        end('bad');
        return;
    }
    const isNew = place.kind === 'new';
    const id = isNew ? newRoomId() : place.id;
    if (isNew) {
        history.replaceState(null, '', pathOf(id));
    }
    roomId = id;
    const address = `${location.origin.replace(/^http/, 'ws')}/collab`;
    try {
        const code = await import('./room/room');
        room.set(
            new code.Room(address, id, {
                state: roomState,
                text: program,
                input,
                me,
                seed: isNew ? newSeed() : null,
                onSeeded: () => {
                    if (isNew) {
                        keep(DRAFT, null);
                        keep(INPUT_DRAFT, null);
                    }
                },
                onRun: (frame) => session.onFrame(frame),
            }),
        );
    } catch {
        end('broken');
    }
}

/** The room's last runs with their code, oldest first; before there is a room, none. */
export function pastRuns(): Promise<client.PastRun[]> {
    return roomId === undefined ? Promise.resolve([]) : client.pastRuns(roomId);
}

export function run(): void {
    if (!roomState.get().hasText) {
        return;
    }
    const { text: stdin } = input.get();
    const { text: code } = program.get();
    const { name: by } = me.get();
    room.get()?.rememberProgram();
    void session.run({ code, roomId, by, interactive: true, ...(stdin !== '' && { stdin }) });
}

/** Where a line of a program that ran is now; of one that is not known here, the same line. */
export function placeNow(codeHash: string, line: number): PlaceNow {
    return room.get()?.anchors.find(codeHash, line) ?? { line, isEdited: false };
}

export function stop(): void {
    void session.stop();
}

export function download(): void {
    downloadText(strings.app.file, program.get().text);
}

/** Looks again after whatever was found away. */
export function retry(): void {
    void server.check();
    room.get()?.retry();
}

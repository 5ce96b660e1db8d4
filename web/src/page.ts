// The parts of the page, made once and wired together: the daemon, the room, the two texts, the
// runs.
import { roomsBase } from './api/addresses';
import type { PastRun } from './api/pastRuns';
import { Server } from './api/server';
import { downloadText } from './editor/download';
import { program, textState } from './editor/programText';
import type { PlaceNow } from './room/lineAnchors';
import { BEFORE, type End, type RoomState } from './room/roomState';
import type { Room, Seed } from './room/room';
import { newRoomId, pathOf, placeOf } from './room/roomId';
import type { Session } from './run/session';
import { NO_RUNS } from './run/sessionState';
import { keep, recall } from './storage';
import { Store } from './store';
import { frameStrings as strings } from './frameStrings';
import { withoutReturns } from './text/edit';

/** The texts in this browser that the next new room begins with. */
const DRAFT = 'code';
const INPUT_DRAFT = 'input';

export { program };

export const server = new Server();
/** What the program reads, one text for the whole room. */
export const input = new Store(textState(''));
export const roomState = new Store<RoomState>(BEFORE);
/** Null until its code has come. */
export const room = new Store<Room | null>(null);

let roomId: string | undefined;

/** Comes with the room. */
let runs: Session | null = null;

/** The runs of the room: what is known of them at once, and what can be done when it can. */
export const session = {
    state: new Store(NO_RUNS),
    clear: (): void => runs?.clear(),
    give: (jobId: string, text: string, isLast: boolean): Promise<boolean> =>
        runs?.give(jobId, text, isLast) ?? Promise.resolve(false),
};

function end(reason: End): void {
    roomState.set({ ...roomState.get(), connection: 'ended', end: reason });
}

function newSeed(): Seed {
    return {
        text: withoutReturns(recall(DRAFT) ?? ''),
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
    const address = `${roomsBase()}/collab`;
    try {
        const { giveWay, loadRoom, me, openSession } = await import('./work');
        const { Room } = await loadRoom();
        const opened = openSession(session.state, {
            limits: () => server.state.get().limits,
            isRoomLive: () => room.get()?.isLive ?? false,
            onTrouble: () => void server.check(),
        });
        runs = opened;
        room.set(
            new Room(address, id, {
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
                onMet: giveWay,
                onRun: (frame) => opened.onFrame(frame),
            }),
        );
    } catch {
        end('broken');
    }
}

/** The room's last runs with their code, oldest first; before there is a room, none. */
export async function pastRuns(): Promise<PastRun[]> {
    const api = await import('./api/pastRuns');
    return roomId === undefined ? [] : api.pastRuns(roomId);
}

/** A last line is one whether or not it was ended: more input may follow it. */
function wholeLines(text: string): string {
    return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** Runs a program with the room's input. */
function runCode(code: string): void {
    const stdin = wholeLines(input.get().text);
    void runs?.run({ code, roomId, interactive: true, ...(stdin !== '' && { stdin }) });
}

export function run(): void {
    if (roomState.get().hasText) {
        room.get()?.rememberProgram();
        runCode(program.get().text);
    }
}

/** Runs once more what ran then, whatever the text is now. False: its code is not kept. */
export async function runAgain(jobId: string): Promise<boolean> {
    const past = await pastRuns().catch(() => []);
    const code = past.find((run) => run.jobId === jobId)?.code ?? null;
    if (code !== null) {
        runCode(code);
    }
    return code !== null;
}

/** Where a line of a program that ran is now; of one that is not known here, the same line. */
export function placeNow(codeHash: string, line: number): PlaceNow {
    return room.get()?.anchors.find(codeHash, line) ?? { line, isEdited: false };
}

export function stop(): void {
    void runs?.stop();
}

export function download(): void {
    downloadText(strings.app.file, program.get().text);
}

/** Opens a new room with the texts of this one; false: this browser keeps nothing to begin it with. */
export function duplicate(): boolean {
    if (!keep(DRAFT, program.get().text) || !keep(INPUT_DRAFT, input.get().text)) {
        return false;
    }
    window.open('/', '_blank', 'noopener');
    return true;
}

/** Looks again after whatever was found away. */
export function retry(): void {
    void server.check();
    room.get()?.retry();
}

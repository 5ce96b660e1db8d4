// The page's place in its room: the shared document, the connection, who else is here. Loaded
// after the frame has been painted; the frame sees it through the stores it is given.
//
// The browser keeps the room's edits too (keeper.ts). Its copy may be there before the daemon's or
// after it; either way the two are merged, and the text can be edited as soon as one has come.
//
// y-websocket connects again for ever by itself. What it lacks is here: saying "offline" only when
// it lasts, trying again when the network is back, and stopping when the daemon turned down what
// this page holds, which would be sent again and again otherwise.
import {
    clone,
    readVarString,
    readVarUint,
    readVarUint8Array,
    type Decoder,
} from 'lib0/decoding';
import { createEncoder, toUint8Array, writeVarUint, writeVarUint8Array } from 'lib0/encoding';
import { messageYjsSyncStep1, messageYjsSyncStep2 } from 'y-protocols/sync';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { textState, type TextState } from '../editor/programText';
import { returnsIn, tidy } from '../editor/tidy';
import { Store } from '../store';
import { strings } from '../strings';
import { codeHash } from '../run/codeHash';
import { Keeper } from './keeper';
import { isIdle, watchIdle } from './idle';
import { keepsEdits } from './keepsEdits';
import { LineAnchors } from './lineAnchors';
import { COLOURS, personOf, type Person } from './person';
import { readRoomFrame, type RunFrame } from './roomFrame';
import type { End, Member, RoomState } from './roomState';
import { Saving } from './saving';
import { Writer } from './writer';

/** The root that the daemon and every other Yjs program know the text under. */
const ROOT = 'monaco';
/** What the program reads, for whoever runs it. */
const INPUT_ROOT = 'stdin';
const SYNC_TYPE = 0;
const FRAME_TYPE = 100;
const SLOWEST_RETRY_MS = 10_000;
/** Away for as long is offline. */
const OFFLINE_MS = 3_000;
/** How long it is said that the connection is back. */
const BACK_MS = 2_000;
/** People that are shown; the rest of a crowd only edits. */
const MEMBERS_MAX = 50;

/** Close codes after which a new try would end the same way. */
const ENDS: Record<number, End> = {
    1002: 'refused',
    1003: 'refused',
    1007: 'refused',
    1008: 'refused',
    1009: 'tooLarge',
};

/** What a room begins with. */
export interface Seed {
    text: string;
    input: string;
}

export interface RoomPorts {
    state: Store<RoomState>;
    text: Store<TextState>;
    input: Store<TextState>;
    me: Store<Person>;
    /** Null: this page has not made the room, it only joins. */
    seed: Seed | null;
    onSeeded(): void;
    /** The colours of those who were here before. */
    onMet(colours: readonly number[]): void;
    onRun(frame: RunFrame): void;
}

export class Room {
    readonly doc = new Y.Doc();
    readonly text = this.doc.getText(ROOT);
    /** Of the programs that ran while their text was here. */
    readonly anchors = new LineAnchors(this.text);
    private readonly input = this.doc.getText(INPUT_ROOT);
    /** For boxes that show the program, and the input. */
    readonly programWriter = new Writer(this.text);
    readonly inputWriter = new Writer(this.input);
    private readonly provider: WebsocketProvider;
    private offlineTimer: ReturnType<typeof setTimeout> | undefined;
    private backTimer: ReturnType<typeof setTimeout> | undefined;
    private readonly saving: Saving;
    private keeper: Keeper | null = null;
    /** Whether the daemon's text has been here. */
    private hasMet = false;
    private readonly names = new Map<number, string>();

    constructor(
        address: string,
        private readonly id: string,
        private readonly ports: RoomPorts,
    ) {
        this.provider = new WebsocketProvider(address, id, this.doc, {
            connect: false,
            // Tabs of one browser meet at the daemon like everybody else.
            disableBc: true,
            maxBackoffTime: SLOWEST_RETRY_MS,
        });
        this.saving = new Saving(this.doc, {
            ask: (vector) => this.sendStep1(vector),
            onSlow: (isSaving) => this.patch({ isSaving }),
        });
        this.watchDocument();
        this.watchChoice();
        this.watchPeople();
        this.watchConnection();
        this.provider.connect();
    }

    get awareness(): WebsocketProvider['awareness'] {
        return this.provider.awareness;
    }

    get isLive(): boolean {
        return this.provider.wsconnected && this.provider.synced;
    }

    /** Connects again now instead of when it is next due. */
    readonly retry = (): void => {
        if (!this.isLive && this.ports.state.get().connection !== 'ended') {
            this.provider.disconnect();
            this.provider.wsUnsuccessfulReconnects = 0;
            this.provider.connect();
        }
    };

    // --- the document ------------------------------------------------------------------------

    private watchDocument(): void {
        const { text, input } = this.ports;
        this.text.observe(() => text.set(textState(this.text.toString())));
        this.input.observe(({ delta }) => {
            if (returnsIn(delta)) {
                tidy(this.input);
            }
            input.set(textState(this.input.toString()));
        });
        this.doc.on('update', (_update: Uint8Array, origin: unknown) => {
            if (origin !== this.provider && !this.keeper?.isOrigin(origin)) {
                this.saving.changed();
            }
        });
        window.addEventListener('beforeunload', (event) => {
            const isKept = this.keeper?.hasAll ?? false;
            if (this.ports.state.get().isFull || (this.saving.isOwing && !isKept)) {
                event.preventDefault();
            }
        });
    }

    /** Keeps the edits in this browser for as long as the person at it lets us. */
    private watchChoice(): void {
        const obey = (): void => {
            if (!keepsEdits.get()) {
                this.forgetKept();
            } else if (this.keeper === null && this.ports.state.get().connection !== 'ended') {
                this.keeper = new Keeper(this.id, this.doc, () => this.onKeptLoaded());
            }
        };
        keepsEdits.subscribe(obey);
        obey();
    }

    private onKeptLoaded(): void {
        this.patch({ isKept: true });
        // Of a room that this browser has never been in, nothing was kept.
        if (this.doc.store.clients.size > 0) {
            this.patch({ hasText: true });
        }
        this.saving.loaded();
    }

    /** What the daemon turned down must not come back with a reload, to be turned down again. */
    private forgetKept(): void {
        this.keeper?.forget();
        this.keeper = null;
        this.patch({ isKept: false });
    }

    /** Only once, by the one who made the room, and only if nobody has written in it meanwhile. */
    private sow(): void {
        const { seed } = this.ports;
        if (seed !== null && this.text.length === 0) {
            this.text.insert(0, seed.text);
            if (this.input.length === 0) {
                this.input.insert(0, seed.input);
            }
        }
        this.ports.onSeeded();
    }

    // --- the connection ----------------------------------------------------------------------

    private watchConnection(): void {
        const { provider } = this;
        this.listenToSync();
        provider.messageHandlers[FRAME_TYPE] = (_encoder: unknown, decoder: Decoder) =>
            this.onFrame(readVarString(decoder));
        provider.on('status', ({ status }: { status: string }) => {
            if (status === 'connected') {
                this.patch({ isSaved: true, isFull: false });
            } else if (status === 'disconnected') {
                this.saving.close();
                this.forgetClocks();
            }
            this.onConnection();
        });
        provider.on('sync', (isSynced: boolean) => {
            if (isSynced) {
                this.onSynced();
            }
            this.onConnection();
        });
        provider.on('connection-close', ({ code }: CloseEvent) => {
            const end = ENDS[code];
            if (end !== undefined) {
                provider.disconnect();
                this.patch({ connection: 'ended', end });
                this.forgetKept();
            }
        });
        window.addEventListener('online', this.retry);
        // Only a hint: a daemon on this machine is there all the same, and is connected to again.
        window.addEventListener('offline', () => provider.ws?.close());
        this.onConnection();
    }

    private onSynced(): void {
        // The others have seen us go, and believe only what is newer than that.
        this.awareness.setLocalState(this.awareness.getLocalState());
        if (!this.hasMet) {
            this.hasMet = true;
            const others = this.members().filter(({ isMe }) => !isMe);
            this.ports.onMet(others.map(({ colour }) => colour));
            this.sow();
            this.patch({ hasText: true });
        }
        if (!this.ports.state.get().isFull) {
            this.saving.open();
        }
    }

    private onConnection(): void {
        const { connection } = this.ports.state.get();
        if (connection === 'ended') {
            return;
        }
        if (this.isLive) {
            clearTimeout(this.offlineTimer);
            this.offlineTimer = undefined;
            if (connection === 'offline') {
                this.sayBack();
            }
            this.patch({ connection: 'live' });
        } else if (this.offlineTimer === undefined) {
            this.patch({ connection: 'connecting', announcement: '' });
            this.offlineTimer = setTimeout(() => {
                if (this.ports.state.get().connection === 'connecting') {
                    this.patch({ connection: 'offline' });
                }
            }, OFFLINE_MS);
        }
    }

    private sayBack(): void {
        this.patch({ isBack: true, announcement: strings.room.again });
        clearTimeout(this.backTimer);
        this.backTimer = setTimeout(() => this.patch({ isBack: false }), BACK_MS);
    }

    /** Hears what the daemon has, on the way to y-websocket's own ears. */
    private listenToSync(): void {
        const { messageHandlers } = this.provider;
        const pass = messageHandlers[SYNC_TYPE]!;
        messageHandlers[SYNC_TYPE] = (encoder, decoder, ...rest) => {
            const copy = clone(decoder);
            const kind = readVarUint(copy);
            if (kind === messageYjsSyncStep1) {
                this.saving.told(readVarUint8Array(copy));
            } else if (kind === messageYjsSyncStep2) {
                this.saving.answered(readVarUint8Array(copy));
            }
            pass(encoder, decoder, ...rest);
        };
    }

    private sendStep1(vector: Uint8Array): void {
        const encoder = createEncoder();
        writeVarUint(encoder, SYNC_TYPE);
        writeVarUint(encoder, messageYjsSyncStep1);
        writeVarUint8Array(encoder, vector);
        this.provider.ws?.send(toUint8Array(encoder));
    }

    private onFrame(json: string): void {
        const frame = readRoomFrame(json);
        if (frame === null) {
            return;
        }
        if ('saved' in frame) {
            this.patch({ isSaved: frame.saved });
        } else if ('refused' in frame) {
            // On this page only, until it is loaded anew.
            this.saving.close();
            this.patch({ isFull: true });
            this.forgetKept();
        } else {
            this.rememberPrograms(frame);
            this.ports.onRun(frame);
        }
    }

    /** A program that starts, or ran before, is most often the text of now. */
    private rememberPrograms(frame: RunFrame): void {
        const hashes =
            frame.run === 'start'
                ? [frame.codeHash]
                : frame.run === 'history'
                  ? frame.runs.map((run) => run.codeHash)
                  : [];
        const unknown = hashes.filter((hash) => !this.anchors.has(hash));
        if (unknown.length > 0) {
            this.rememberProgram(unknown);
        }
    }

    /** Remembers the text of now as the program that it is, if that is among these; none: in any case. */
    rememberProgram(hashes?: readonly string[]): void {
        const now = codeHash(this.ports.text.get().text);
        if (hashes?.includes(now) ?? true) {
            this.anchors.remember(now);
        }
    }

    // --- the people --------------------------------------------------------------------------

    private watchPeople(): void {
        const { awareness } = this;
        const { me } = this.ports;
        const introduce = (): void => awareness.setLocalStateField('user', me.get());
        const sayIdle = (): void => awareness.setLocalStateField('idle', isIdle.get());
        introduce();
        sayIdle();
        me.subscribe(introduce);
        isIdle.subscribe(sayIdle);
        watchIdle();
        const show = (): void => {
            const members = this.members();
            // Most changes are cursors, which are not shown in lists.
            if (JSON.stringify(members) !== JSON.stringify(this.ports.state.get().members)) {
                this.patch({ members });
            }
        };
        awareness.on('change', ({ added, removed }: { added: number[]; removed: number[] }) => {
            show();
            this.announce(added, removed);
        });
        show();
    }

    /** What was known of the others goes with the connection, so that it is news when it is back. */
    private forgetClocks(): void {
        const { meta } = this.awareness;
        for (const client of meta.keys()) {
            if (client !== this.doc.clientID) {
                meta.delete(client);
            }
        }
    }

    private members(): Member[] {
        const { awareness, doc } = this;
        const clients = [...awareness.getStates().keys()].filter(
            (client) => client !== doc.clientID,
        );
        return [doc.clientID, ...clients]
            .slice(0, MEMBERS_MAX)
            .map((client) => this.memberOf(client));
    }

    private memberOf(client: number): Member {
        const isMe = client === this.doc.clientID;
        const state = this.awareness.getStates().get(client);
        const said: unknown = state?.user;
        const fallback = { name: strings.people.guest, colour: client % COLOURS };
        return { ...personOf(said, fallback), client, isMe, isIdle: state?.idle === true };
    }

    /** Who was here when this page came is no news, and who goes with the connection has not left. */
    private announce(added: readonly number[], removed: readonly number[]): void {
        const [came] = added;
        const [left] = removed;
        const name = left === undefined ? undefined : this.names.get(left);
        for (const client of removed) {
            this.names.delete(client);
        }
        for (const { client, name } of this.ports.state.get().members) {
            this.names.set(client, name);
        }
        if (!this.isLive) {
            return;
        }
        if (came !== undefined && came !== this.doc.clientID) {
            this.patch({ announcement: strings.people.joined(this.memberOf(came).name) });
        } else if (name !== undefined) {
            this.patch({ announcement: strings.people.left(name) });
        }
    }

    private patch(part: Partial<RoomState>): void {
        this.ports.state.set({ ...this.ports.state.get(), ...part });
    }
}

// Any Yjs program in a room: it may say what no page of ours would.
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

export class Stranger {
    readonly doc = new Y.Doc();
    readonly text = this.doc.getText('monaco');
    private readonly provider: WebsocketProvider;

    constructor(url: string, roomId: string) {
        const address = `${url.replace(/^http/, 'ws')}/collab`;
        this.provider = new WebsocketProvider(address, roomId, this.doc, {
            WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
            disableBc: true,
        });
    }

    async joined(): Promise<this> {
        if (!this.provider.synced) {
            await new Promise((resolve) => this.provider.once('synced', resolve));
        }
        return this;
    }

    /** Says this of itself, whatever it means. */
    say(state: Record<string, unknown>): void {
        this.provider.awareness.setLocalState(state);
    }

    /** How many people there are besides. */
    others(): number {
        return this.provider.awareness.getStates().size - 1;
    }

    leave(): void {
        this.provider.destroy();
        this.provider.awareness.destroy();
        this.doc.destroy();
    }
}

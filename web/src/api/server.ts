// What the page knows of its daemon: whether it answers, whether runs can start, its limits.
// One small request now and then, only while the page is looked at. One missed answer means
// "connecting"; only the second, three seconds later, means "offline".
import { Store } from '../store';
import * as client from './client';
import type { Limits } from './types';

const CALM_MS = 20_000;
const TROUBLED_MS = 3_000;

export type Link = 'connecting' | 'ready' | 'unready' | 'offline';

export interface ServerState {
    link: Link;
    limits: Limits | null;
}

export class Server {
    readonly state = new Store<ServerState>({ link: 'connecting', limits: null });
    private timer: ReturnType<typeof setTimeout> | undefined;
    private isAsking = false;
    private missed = 0;

    /** Asks now, and again after a while. Safe to call at any time. */
    readonly check = async (): Promise<void> => {
        if (this.isAsking) {
            return;
        }
        this.isAsking = true;
        clearTimeout(this.timer);
        await this.ask();
        this.isAsking = false;
        const pause = this.state.get().link === 'ready' ? CALM_MS : TROUBLED_MS;
        this.timer = setTimeout(() => this.checkIfSeen(), pause);
    };

    /** Returns a function that stops watching. */
    watch(): () => void {
        const again = (): void => void this.check();
        const onVisible = (): void => this.checkIfSeen();
        window.addEventListener('online', again);
        window.addEventListener('offline', again);
        document.addEventListener('visibilitychange', onVisible);
        again();
        return () => {
            clearTimeout(this.timer);
            window.removeEventListener('online', again);
            window.removeEventListener('offline', again);
            document.removeEventListener('visibilitychange', onVisible);
        };
    }

    private checkIfSeen(): void {
        if (!document.hidden) {
            void this.check();
        }
    }

    private async ask(): Promise<void> {
        try {
            const isReady = await client.isReady();
            const limits = this.state.get().limits ?? (await client.limits().catch(() => null));
            this.missed = 0;
            this.state.set({ link: isReady ? 'ready' : 'unready', limits });
        } catch {
            this.missed += 1;
            const link = this.missed > 1 ? 'offline' : 'connecting';
            this.state.set({ ...this.state.get(), link });
        }
    }
}

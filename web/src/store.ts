// A value that components and plain code share: read it, replace it, hear about it.
import { useCallback, useSyncExternalStore } from 'react';

export class Store<T> {
    private readonly listeners = new Set<() => void>();

    constructor(private value: T) {}

    readonly get = (): T => this.value;

    readonly set = (value: T): void => {
        if (Object.is(value, this.value)) {
            return;
        }
        this.value = value;
        for (const listener of [...this.listeners]) {
            listener();
        }
    };

    readonly subscribe = (listener: () => void): (() => void) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    };
}

export function useStore<T>(store: Store<T>): T {
    return useSyncExternalStore(store.subscribe, store.get);
}

function perFrame(listener: () => void): () => void {
    let isDue = false;
    return () => {
        if (!isDue) {
            isDue = true;
            requestAnimationFrame(() => {
                isDue = false;
                listener();
            });
        }
    };
}

/** The same, heard of once a frame: for what takes long to draw and changes several times a frame. */
export function useStorePerFrame<T>(store: Store<T>): T {
    const subscribe = useCallback(
        (listener: () => void) => store.subscribe(perFrame(listener)),
        [store],
    );
    return useSyncExternalStore(subscribe, store.get);
}

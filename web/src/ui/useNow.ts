// The time for views that count seconds, in steps of a quarter second.
import { useCallback, useSyncExternalStore } from 'react';

const STEP_MS = 250;

/** The present, ms since the epoch; views are drawn again as it goes on only while isTicking. */
export function useNow(isTicking: boolean): number {
    const subscribe = useCallback(
        (listener: () => void) => {
            const timer = isTicking ? setInterval(listener, STEP_MS) : undefined;
            return () => clearInterval(timer);
        },
        [isTicking],
    );
    return useSyncExternalStore(subscribe, () => Math.floor(Date.now() / STEP_MS) * STEP_MS);
}

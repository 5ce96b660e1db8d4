// Which of the three layouts fits the window: side by side, stacked, or one pane at a time.
import { useSyncExternalStore } from 'react';

export type Layout = 'wide' | 'stacked' | 'single';

const WIDE = '(min-width: 1024px)';
const STACKED = '(min-width: 720px)';
/** Least width of a pane, CSS pixels. */
const PANE_MIN = 320;

function current(): Layout {
    if (matchMedia(WIDE).matches) {
        return 'wide';
    }
    return matchMedia(STACKED).matches ? 'stacked' : 'single';
}

function subscribe(listener: () => void): () => void {
    window.addEventListener('resize', listener);
    return () => window.removeEventListener('resize', listener);
}

export function useLayout(): Layout {
    return useSyncExternalStore(subscribe, current);
}

/** Least size of a pane in percent of the window. */
export function usePaneMin(layout: Layout): number {
    const width = useSyncExternalStore(subscribe, () => window.innerWidth);
    return layout === 'wide' ? Math.min(45, Math.ceil((PANE_MIN / width) * 100)) : 20;
}

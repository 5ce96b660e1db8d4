// Which of the three layouts fits the window: side by side, stacked, or one pane at a time; and how
// the two panes share it.
import { useSyncExternalStore } from 'react';
import { keep, recall } from '../storage';

export type Layout = 'wide' | 'stacked' | 'single';

const WIDE = '(min-width: 1024px)';
const STACKED = '(min-width: 720px)';
/** Least width of a pane, CSS pixels. */
const PANE_MIN = 320;
const SHARE = 'editor-share';
/** Of the editor, in percent of the window. */
export const USUAL_SHARE = 60;

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

/** What the person left to the editor, in percent, as far as both panes keep their least size. */
export function keptShare(paneMin: number): number {
    const share = Number(recall(SHARE) ?? USUAL_SHARE);
    return Number.isFinite(share)
        ? Math.min(100 - paneMin, Math.max(paneMin, share))
        : USUAL_SHARE;
}

export function keepShare(share: number): void {
    keep(SHARE, share === USUAL_SHARE ? null : share.toFixed(2));
}

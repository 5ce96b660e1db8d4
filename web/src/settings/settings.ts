// What a person has chosen for this browser, besides the theme (ui/theme.ts). Kept at once, heard at
// once by whatever it concerns.
import { keep, recall } from '../storage';
import { Store } from '../store';

const KEY = 'settings';

export const FONT_LEAST = 12;
export const FONT_MOST = 20;

export interface Settings {
    /** Of the code, CSS pixels. */
    fontSize: number;
    isWrapped: boolean;
    /** Tab leaves the editor instead of indenting. */
    isTabLeaving: boolean;
    /** Less motion than the system asks for, or as little. */
    isStill: boolean;
    /** Whether what a run has printed is read out when it ends. */
    isOutputRead: boolean;
}

const USUAL: Settings = {
    fontSize: 14,
    isWrapped: false,
    isTabLeaving: false,
    isStill: false,
    isOutputRead: false,
};

function fontSizeOf(value: unknown): number {
    return typeof value === 'number' && Number.isInteger(value)
        ? Math.min(FONT_MOST, Math.max(FONT_LEAST, value))
        : USUAL.fontSize;
}

/** What is there of the settings in a value that anybody may have written. */
export function settingsOf(value: unknown): Settings {
    const said = typeof value === 'object' && value !== null ? value : {};
    const { fontSize, ...rest } = { ...USUAL, ...(said as Partial<Settings>) };
    return {
        fontSize: fontSizeOf(fontSize),
        isWrapped: rest.isWrapped === true,
        isTabLeaving: rest.isTabLeaving === true,
        isStill: rest.isStill === true,
        isOutputRead: rest.isOutputRead === true,
    };
}

function kept(): unknown {
    try {
        return JSON.parse(recall(KEY) ?? 'null');
    } catch {
        return null;
    }
}

export const settings = new Store<Settings>(settingsOf(kept()));

export function changeSettings(part: Partial<Settings>): void {
    const next = settingsOf({ ...settings.get(), ...part });
    keep(KEY, JSON.stringify(next));
    settings.set(next);
}

/** Keeps <html data-motion> in step; the style sheets do the rest. */
export function watchMotion(): void {
    const apply = (): void => {
        document.documentElement.dataset.motion = settings.get().isStill ? 'none' : 'system';
    };
    settings.subscribe(apply);
    apply();
}

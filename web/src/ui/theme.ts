// Light or dark: the person's choice, or the system's. firstPaint.js makes the same choice before
// the first paint; this module keeps to it afterwards.
import { keep, recall } from '../storage';
import { Store } from '../store';

export type ThemeChoice = 'system' | 'light' | 'dark';
export type Theme = 'light' | 'dark';

function kept(): ThemeChoice {
    const value = recall('theme');
    return value === 'light' || value === 'dark' ? value : 'system';
}

export const themeChoice = new Store<ThemeChoice>(kept());
export const themeInForce = new Store<Theme>('light');

/** Keeps <html data-theme> in step with the choice and the system. */
export function watchTheme(): void {
    const system = matchMedia('(prefers-color-scheme: dark)');
    const apply = (): void => {
        const choice = themeChoice.get();
        const theme = choice === 'system' ? (system.matches ? 'dark' : 'light') : choice;
        document.documentElement.dataset.theme = theme;
        themeInForce.set(theme);
    };
    system.addEventListener('change', apply);
    themeChoice.subscribe(apply);
    apply();
}

export function chooseTheme(choice: ThemeChoice): void {
    keep('theme', choice === 'system' ? null : choice);
    themeChoice.set(choice);
}

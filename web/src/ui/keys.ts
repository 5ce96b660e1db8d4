// Keys that work anywhere on the page. They are heard before Monaco hears them, because Monaco
// would take Ctrl+Enter for "insert line below".
import type { ConsoleTab } from '../console/ConsolePane';
import { editor } from '../editor/control';
import { openDialog } from '../layers/dialogs';
import { download, run, stop } from '../page';
import { goToError, goToTab } from './panes';

/** The regions that F6 walks through; each is an element with this attribute. */
const REGION = '[data-region]';
/** Where somebody is waited for. */
const WAITING = '[data-prompt]';
const FOCUSABLE = 'button, textarea, [tabindex="0"], [contenteditable="true"], a[href]';

function focusRegion(region: HTMLElement): void {
    if (region.dataset.region === 'editor') {
        editor()?.focus();
    } else {
        const isShown = (element: HTMLElement): boolean => element.offsetParent !== null;
        const all = (kind: string) => [...region.querySelectorAll<HTMLElement>(kind)];
        (all(WAITING).find(isShown) ?? all(FOCUSABLE).find(isShown) ?? region).focus();
    }
}

function walkRegions(step: 1 | -1): void {
    const regions = [...document.querySelectorAll<HTMLElement>(REGION)].filter(
        (region) => region.offsetParent !== null,
    );
    const here = regions.findIndex((region) => region.contains(document.activeElement));
    const next = here < 0 ? 0 : (here + step + regions.length) % regions.length;
    const region = regions[next];
    if (region) {
        focusRegion(region);
    }
}

/** By the place of the key: with Alt it writes other letters on some keyboards. */
const TABS: Record<string, ConsoleTab | undefined> = {
    Digit1: 'console',
    Digit2: 'input',
    Digit3: 'history',
};

/** Where letters are written, and where keys have a meaning of their own. */
const TEXT = 'input, textarea, [contenteditable="true"]';
const LAYER = '[role="dialog"], [role="menu"]';

type Action = () => void;

function commandFor(key: string): Action | null {
    switch (key) {
        case 'Enter':
            return run;
        case '.':
            return stop;
        case 's':
            return download;
        default:
            return null;
    }
}

/** For keys without Ctrl and the like; `step` is back with Shift. */
function plainFor({ key, target }: KeyboardEvent, step: 1 | -1): Action | null {
    switch (key) {
        case 'F6':
            return () => walkRegions(step);
        case 'F8':
            return () => goToError(step);
        case '?':
            return (target as Element).matches(TEXT)
                ? null
                : () => openDialog({ kind: 'keys' });
        default:
            return null;
    }
}

function actionFor(event: KeyboardEvent): Action | null {
    const { altKey, code, key, shiftKey } = event;
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand) {
        return altKey || shiftKey ? null : commandFor(key);
    }
    if ((event.target as Element).closest(LAYER)) {
        return null;
    }
    if (altKey) {
        const tab = TABS[code];
        return tab === undefined || shiftKey ? null : () => goToTab(tab);
    }
    return plainFor(event, shiftKey ? -1 : 1);
}

/** Returns a function that stops listening. */
export function watchKeys(): () => void {
    const onKey = (event: KeyboardEvent): void => {
        const action = actionFor(event);
        if (action) {
            event.preventDefault();
            event.stopPropagation();
            if (!event.repeat) {
                action();
            }
        }
    };
    window.addEventListener('keydown', onKey, { capture: true });
    return () => window.removeEventListener('keydown', onKey, { capture: true });
}

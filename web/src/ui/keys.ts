// Keys that work anywhere on the page. They are heard before Monaco hears them, because Monaco
// would take Ctrl+Enter for "insert line below".
import { download, run, stop } from '../page';
import { editor } from '../editor/control';

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

function actionFor(event: KeyboardEvent): (() => void) | null {
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (isCommand && !event.shiftKey) {
        switch (event.key) {
            case 'Enter':
                return run;
            case '.':
                return stop;
            case 's':
                return download;
        }
    }
    if (event.key === 'F6' && !isCommand && !event.altKey) {
        return () => walkRegions(event.shiftKey ? -1 : 1);
    }
    return null;
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

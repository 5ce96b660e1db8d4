// Which pane and which tab are shown. Only where one pane is shown at a time do panes have tabs.
import { flushSync } from 'react-dom';
import type { ConsoleTab } from '../console/ConsolePane';
import { editor } from '../editor/control';
import { Store } from '../store';
import { frameStrings as strings } from '../frameStrings';
import { announce } from './announcer';
import type { Layout } from './layout';
import { tabId } from './tabIds';

export type Pane = 'code' | 'console';

export interface Shown {
    /** The one that is shown where only one is. */
    pane: Pane;
    /** Of the console. */
    tab: ConsoleTab;
}

export const shown = new Store<Shown>({ pane: 'code', tab: 'console' });

export function showPane(pane: Pane): void {
    shown.set({ ...shown.get(), pane });
}

export function showTab(tab: ConsoleTab): void {
    shown.set({ pane: 'console', tab });
}

/** Puts the keyboard into the editor, at a line if one is named. */
export function goToEditor(line?: number): void {
    // The editor has to be on the screen before it can take the focus or scroll.
    flushSync(() => showPane('code'));
    if (line === undefined) {
        editor()?.focus();
    } else {
        editor()?.reveal(line);
    }
}

/** Puts the keyboard on a tab of the console. */
export function goToTab(tab: ConsoleTab): void {
    flushSync(() => showTab(tab));
    document.getElementById(tabId('console', tab))?.focus();
}

/** Leads from one marked error to the next, or to the one before. */
export function goToError(step: 1 | -1): void {
    goToEditor();
    if (editor()?.walkErrors(step) === false) {
        announce(strings.app.noErrors);
    }
}

/** Whether a pane is off the screen. */
export function isAway(layout: Layout, { pane }: Shown, id: Pane): boolean {
    return layout === 'single' && pane !== id;
}

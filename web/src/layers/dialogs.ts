// Which dialog is open: one at a time. Anything may open one; DialogBox draws it.
import { Store } from '../store';

export type OpenDialog =
    /** Something to decide: `yes` names what happens then. */
    | { kind: 'question'; title: string; text: string; yes: string; onYes(): void }
    /** Something to know. */
    | { kind: 'notice'; title: string; text: string }
    | { kind: 'share' | 'settings' | 'keys' };

export const dialog = new Store<OpenDialog | null>(null);

export function openDialog(open: OpenDialog): void {
    dialog.set(open);
}

let next: (() => void) | null = null;

/** `afterwards` happens once the dialog is gone and the focus is back where it was. */
export function closeDialog(afterwards: (() => void) | null = null): void {
    next = afterwards;
    dialog.set(null);
}

/** For the dialog that is gone. */
export function goOn(): void {
    const act = next;
    next = null;
    act?.();
}

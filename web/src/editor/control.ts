// The one editor of the page, whichever it is (Monaco, or the plain box when Monaco could not
// load), as the rest of the page sees it.
import { Store } from '../store';

export interface EditorControl {
    focus(): void;
    /** Puts the cursor at the start of a line (1 = first) and shows it. */
    reveal(line: number): void;
    /** Makes the text another one, in one edit of this person's, which undo takes back. */
    replace(text: string): void;
    /** Types as by hand, at the cursor; a tab indents. */
    type(text: string): void;
    undo(): void;
    /** Goes to the next (1) or the previous (-1) marked error; false: there is none. */
    walkErrors(step: 1 | -1): boolean;
}

export interface Caret {
    line: number;
    column: number;
    tabMovesFocus: boolean;
}

export const caret = new Store<Caret>({ line: 1, column: 1, tabMovesFocus: false });

/** Whether what is typed goes into the editor. */
export const isEditorFocused = new Store(false);

let current: EditorControl | null = null;
let announceEditor = (): void => undefined;

/** Resolved once there is an editor; what is not needed before waits for it. */
export const editorCame = new Promise<void>((resolve) => {
    announceEditor = resolve;
});

/** Returns a function that takes the control back. */
export function provideEditor(control: EditorControl): () => void {
    current = control;
    announceEditor();
    return () => {
        if (current === control) {
            current = null;
        }
    };
}

export function editor(): EditorControl | null {
    return current;
}

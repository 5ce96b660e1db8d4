// The text of main.py as the frame of the page sees it: what it is now, and its size. The room owns it.
import { Store } from '../store';
import { withoutReturns } from '../text/edit';

export interface TextState {
    text: string;
    /** UTF-8 bytes, as the daemon counts them. */
    bytes: number;
}

const encoder = new TextEncoder();

/** What a program is run from and shown as, whatever line ends somebody managed to put in. */
export function textState(text: string): TextState {
    const clean = withoutReturns(text);
    return { text: clean, bytes: encoder.encode(clean).length };
}

export const program = new Store<TextState>(textState(''));

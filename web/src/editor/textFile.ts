// A text that outlives the page: what is written into it is kept in this browser at once, so a
// reload or a crash loses nothing. The editor and the input box both edit one of these.
import { Store } from '../store';
import { keep, recall } from '../storage';

export interface FileState {
    text: string;
    /** UTF-8 bytes, as the daemon counts them. */
    bytes: number;
    isKept: boolean;
}

const encoder = new TextEncoder();

function withoutReturns(text: string): string {
    return text.replace(/\r\n?/g, '\n');
}

function stateOf(text: string, isKept: boolean): FileState {
    return { text, bytes: encoder.encode(text).length, isKept };
}

export class TextFile {
    readonly state: Store<FileState>;

    constructor(
        private readonly key: string,
        first: string,
    ) {
        this.state = new Store(stateOf(withoutReturns(recall(key) ?? first), true));
    }

    readonly write = (text: string): void => {
        const clean = withoutReturns(text);
        this.state.set(stateOf(clean, keep(this.key, clean)));
    };
}

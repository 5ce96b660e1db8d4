// A text that outlives the page: what is written into it is kept in this browser at once, so a
// reload or a crash loses nothing. The input box edits one of these; nobody else sees it.
import { Store } from '../store';
import { keep, recall } from '../storage';
import { textState, type TextState } from './programText';

export class TextFile {
    readonly state: Store<TextState>;

    constructor(
        private readonly key: string,
        first: string,
    ) {
        this.state = new Store(textState(recall(key) ?? first));
    }

    readonly write = (text: string): void => {
        const clean = textState(text);
        keep(this.key, clean.text);
        this.state.set(clean);
    };
}

// A shared text as boxes write it, which know nothing of edits: the whole of it, again and again. Each
// time becomes one small edit, and who wrote takes back theirs and nobody else's.
import * as Y from 'yjs';
import { editBetween } from '../text/edit';

/** Edits within this time are taken back together. */
const UNDO_PAUSE_MS = 500;

export class Writer {
    private readonly undoManager: Y.UndoManager;

    constructor(private readonly text: Y.Text) {
        this.undoManager = new Y.UndoManager(text, {
            trackedOrigins: new Set([this]),
            captureTimeout: UNDO_PAUSE_MS,
        });
    }

    /** Makes the text this one. */
    write(text: string): void {
        const edit = editBetween(this.text.toString(), text);
        if (edit !== null) {
            this.text.doc?.transact(() => {
                this.text.delete(edit.at, edit.removed);
                this.text.insert(edit.at, edit.inserted);
            }, this);
        }
    }

    /** The same, as a step of its own. */
    replace(text: string): void {
        this.undoManager.stopCapturing();
        this.write(text);
        this.undoManager.stopCapturing();
    }

    undo(): void {
        this.undoManager.undo();
    }

    redo(): void {
        this.undoManager.redo();
    }
}

// Ties Monaco's model to the room's text with y-monaco, and mends what that leaves open:
//
// Line ends. Monaco counts CR LF as one place when lines end in LF, Yjs counts two, and every
// later edit would land beside its place. So CRs before an LF are taken out of the shared text,
// before the binding and whenever somebody brings in another. Several pages may delete the same
// one; that is harmless. A lone CR counts one in both, and stays.
// Things that are no text, which other programs can put into a Yjs text, go the same way.
// Undo. Monaco's own would take back other people's work; Yjs knows whose is whose.
import { MonacoBinding } from 'y-monaco';
import * as Y from 'yjs';
import type { Room } from '../room/room';
import type { RoomState } from '../room/roomState';
import type { Store } from '../store';
import { editBetween, withoutReturns } from '../text/edit';
import { publishPlaces } from './cursorPlaces';
import { CursorShare } from './cursorShare';
import { followCursor } from './followCursor';
import { monaco } from './monaco';
import { returnsIn, TIDY, tidy } from './tidy';

type View = monaco.editor.IStandaloneCodeEditor;
type Model = monaco.editor.ITextModel;

/** Edits within this time are taken back together. */
const UNDO_PAUSE_MS = 500;

/** Monaco's commands, keys and menus all end in these two, which its types do not name. */
interface Undoable {
    undo?: () => void;
    redo?: () => void;
}

function rangeOf(model: Model, at: number, length: number): monaco.Range {
    return monaco.Range.fromPositions(
        model.getPositionAt(at),
        model.getPositionAt(at + length),
    );
}

/** Where the last of these changes ends. */
function endOf(delta: Y.YTextEvent['delta']): number {
    let at = 0;
    let end = 0;
    for (const { retain, insert } of delta) {
        at += retain ?? (typeof insert === 'string' ? insert.length : 0);
        if (retain === undefined) {
            end = at;
        }
    }
    return end;
}

function showPlace(view: View, model: Model, at: number): void {
    const position = model.getPositionAt(at);
    view.setPosition(position);
    view.revealPositionInCenterIfOutsideViewport(position);
}

/** Makes the model equal to the text, when the binding could not. */
function mend(binding: MonacoBinding): void {
    binding.mux(() => {
        const model = binding.monacoModel;
        const edit = editBetween(model.getValue(), withoutReturns(binding.ytext.toString()));
        if (edit !== null) {
            const range = rangeOf(model, edit.at, edit.removed);
            model.applyEdits([{ range, text: edit.inserted }]);
        }
    });
}

function guard(binding: MonacoBinding, view: View, undo: Y.UndoManager): void {
    const { ytext, monacoModel } = binding;
    const pass = binding._ytextObserver as (event: Y.YTextEvent) => void;
    const guarded = (event: Y.YTextEvent, transaction: Y.Transaction): void => {
        if (returnsIn(event.delta)) {
            tidy(ytext);
            mend(binding);
        } else if (transaction.origin !== TIDY) {
            pass(event);
        }
        if (monacoModel.getValueLength() !== ytext.length) {
            mend(binding);
        }
        if (transaction.origin === undo) {
            showPlace(view, monacoModel, endOf(event.delta));
        }
    };
    ytext.unobserve(pass);
    ytext.observe(guarded);
    // What the binding stops observing when it is destroyed.
    binding._ytextObserver = guarded as (event: Y.YTextEvent) => void;
}

/** Returns a function that parts them again. */
export function shareModel(view: View, room: Room, state: Store<RoomState>): () => void {
    const model = view.getModel()!;
    const cursors = new CursorShare(room, state);
    tidy(room.text);
    model.setEOL(monaco.editor.EndOfLineSequence.LF);
    const binding = new MonacoBinding(room.text, model, new Set([view]), cursors.asAwareness());
    // The text was set as a whole, and its line ends with it.
    model.setEOL(monaco.editor.EndOfLineSequence.LF);
    const undo = new Y.UndoManager(room.text, {
        trackedOrigins: new Set([binding]),
        captureTimeout: UNDO_PAUSE_MS,
    });
    guard(binding, view, undo);
    const undoable = model as Undoable;
    undoable.undo = () => undo.undo();
    undoable.redo = () => undo.redo();
    const parts = [publishPlaces(model, room, cursors), followCursor(view, room)];
    return () => {
        parts.forEach((part) => part());
        delete undoable.undo;
        delete undoable.redo;
        undo.destroy();
        const shown = binding._decorations.get(view) as string[] | undefined;
        binding.destroy();
        if (!model.isDisposed()) {
            view.removeDecorations(shown ?? []);
        }
        cursors.close();
    };
}

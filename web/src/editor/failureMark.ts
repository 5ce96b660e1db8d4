// Shows in the editor where the last run failed: a dot in the gutter, a tinted line, a wavy
// underline and the error's words behind the line. Gone when that line is edited.
import type { Failure } from '../console/trace';
import { monaco } from './monaco';
import css from './CodeEditor.module.css';

const OWNER = 'vve-run';
/** Longest message behind a line; the console has all of it. */
const INLINE_MAX = 120;

export class FailureMark {
    private readonly marks: monaco.editor.IEditorDecorationsCollection;
    private line = 0;

    constructor(private readonly editor: monaco.editor.IStandaloneCodeEditor) {
        this.marks = editor.createDecorationsCollection();
        editor.onDidChangeModelContent((event) => {
            const isTouched = event.changes.some(
                ({ range }) =>
                    range.startLineNumber <= this.line && this.line <= range.endLineNumber,
            );
            if (isTouched || event.isFlush) {
                this.show(null);
            } else {
                this.line = this.marks.getRange(0)?.startLineNumber ?? 0;
            }
        });
    }

    show(failure: Failure | null): void {
        const model = this.editor.getModel();
        if (model === null) {
            return;
        }
        const isShown = failure !== null && failure.line <= model.getLineCount();
        this.line = isShown ? failure.line : 0;
        this.marks.set(isShown ? [decoration(failure, model)] : []);
        monaco.editor.setModelMarkers(model, OWNER, isShown ? [marker(failure, model)] : []);
    }
}

function decoration(
    { line, message }: Failure,
    model: monaco.editor.ITextModel,
): monaco.editor.IModelDeltaDecoration {
    const end = model.getLineMaxColumn(line);
    const short = message.length > INLINE_MAX ? `${message.slice(0, INLINE_MAX)}…` : message;
    return {
        range: new monaco.Range(line, 1, line, end),
        options: {
            isWholeLine: true,
            className: css.failedLine,
            marginClassName: css.failedLine,
            glyphMarginClassName: css.failedGlyph,
            stickiness: monaco.editor.TrackedRangeStickiness.NeverGrowsWhenTypingAtEdges,
            after: { content: `   ${short}`, inlineClassName: css.failedWords ?? '' },
            showIfCollapsed: true,
        },
    };
}

function marker(
    { line, part, message }: Failure,
    model: monaco.editor.ITextModel,
): monaco.editor.IMarkerData {
    const first = model.getLineFirstNonWhitespaceColumn(line) || 1;
    const end = model.getLineMaxColumn(line);
    return {
        severity: monaco.MarkerSeverity.Error,
        message,
        startLineNumber: line,
        startColumn: Math.min(first + (part?.from ?? 0), end),
        endLineNumber: line,
        endColumn: part ? Math.min(first + part.to, end) : end,
    };
}

// Where the lines of a program that ran are now, whatever was written around them since: each line is
// held by a place in the shared text that moves with it.
import * as Y from 'yjs';

/** Programs that are remembered; the oldest go first. */
const PROGRAMS_MAX = 20;

interface Lines {
    texts: readonly string[];
    starts: readonly Y.RelativePosition[];
}

export interface PlaceNow {
    /** 1 = first. */
    line: number;
    /** Whether the line reads otherwise now. */
    isEdited: boolean;
}

/** The line (0 = first) that an offset lies in. */
function lineAt(text: string, offset: number): number {
    let line = 0;
    for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
        line += 1;
    }
    return line;
}

export class LineAnchors {
    private readonly programs = new Map<string, Lines>();

    constructor(private readonly text: Y.Text) {}

    has(codeHash: string): boolean {
        return this.programs.has(codeHash);
    }

    /** Remembers the text of now under the hash of the program that it is. */
    remember(codeHash: string): void {
        const texts = this.text.toString().split('\n');
        let offset = 0;
        const starts = texts.map((line) => {
            const start = Y.createRelativePositionFromTypeIndex(this.text, offset);
            offset += line.length + 1;
            return start;
        });
        this.programs.delete(codeHash);
        this.programs.set(codeHash, { texts, starts });
        const [oldest] = this.programs.keys();
        if (this.programs.size > PROGRAMS_MAX && oldest !== undefined) {
            this.programs.delete(oldest);
        }
    }

    /** Null: that program, or that line of it, is not known here. */
    find(codeHash: string, line: number): PlaceNow | null {
        const lines = this.programs.get(codeHash);
        const start = lines?.starts[line - 1];
        const { doc } = this.text;
        const place = start && doc && Y.createAbsolutePositionFromRelativePosition(start, doc);
        if (!lines || !place) {
            return null;
        }
        const now = this.text.toString();
        const at = lineAt(now, place.index);
        return { line: at + 1, isEdited: now.split('\n')[at] !== lines.texts[line - 1] };
    }
}

// The output of one run on its way to the console: gathered, and shown once a frame.
import type { OutputEvent } from '../api/types';
import { Terminal, type Line } from '../console/terminal';
import type { RunPiece } from '../room/roomFrame';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Feed {
    /** Whether the room tells this run. */
    isShared = false;
    /** Stops what else follows it. */
    stop: () => void = () => undefined;
    private readonly terminal = new Terminal();
    /** UTF-8 bytes that have been written. */
    private bytes = 0;
    private isDue = false;

    constructor(
        private readonly nextFrame: (callback: () => void) => void,
        private readonly show: (lines: readonly Line[]) => void,
    ) {}

    write({ stream, text, by }: OutputEvent): void {
        if (stream === 'stdin') {
            this.terminal.echo(by ?? null, text);
        } else {
            this.terminal.write(stream, text);
        }
        this.showSoon();
    }

    /** A piece with its place: what was written before is left out. */
    take({ stream, text, offset, by = null }: RunPiece): void {
        if (stream === 'stdin') {
            this.write({ stream, text, by });
            return;
        }
        const bytes = encoder.encode(text);
        const known = this.bytes - offset;
        if (known < bytes.length) {
            this.bytes = offset + bytes.length;
            const rest = known > 0 ? decoder.decode(bytes.subarray(known)) : text;
            this.write({ stream, text: rest });
        }
    }

    clear(): void {
        this.terminal.clear();
        this.bytes = 0;
        this.showSoon();
    }

    /** All of it; what is due is not shown again. */
    lines(): readonly Line[] {
        this.isDue = false;
        return this.terminal.snapshot();
    }

    private showSoon(): void {
        if (!this.isDue) {
            this.isDue = true;
            this.nextFrame(() => {
                if (this.isDue) {
                    this.show(this.lines());
                }
            });
        }
    }
}

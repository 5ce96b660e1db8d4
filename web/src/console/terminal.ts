// Turns a program's output into lines of styled text, as a terminal would: carriage return and
// backspace move back, colours and pictures are kept, every other control sequence is dropped. Both
// streams share the lines, in the order of arrival, and each has colours of its own.
//
// The daemon bounds what arrives (outputBytes of GET /api/limits), so all of it is held.
import Anser from 'anser';
import type { PrintedStream, Stream } from '../api/types';
import { strings } from '../strings';
import { isPicture, readPicture, type Picture } from './picture';

export interface Style {
    stream: Stream;
    /** Name of an ANSI colour ("red"), a free colour ("rgb(1, 2, 3)"), or null. */
    colour: string | null;
    ground: string | null;
    /** Any of bold, dim, italic, underline, strikethrough; reverse has swapped the colours. */
    decorations: readonly string[];
    /** What its one letter stands for. */
    picture?: Picture;
}

export interface Span {
    text: string;
    style: Style;
}

/** Never changed once made: a line that changes is replaced, so views can compare by identity. */
export type Line = readonly Span[];

interface Cell {
    char: string;
    style: Style;
}

/** Most rows are only ever written at their end; a cell for each letter is made when one is not. */
interface Row {
    spans: Span[];
    /** Letters in `spans`, or in `cells` once they are there. */
    length: number;
    cells: Cell[] | null;
}

interface Pen {
    anser: Anser;
    style: Style;
    /** The beginning of an escape sequence whose rest has not arrived; no more than can be one, so
        that a picture without an end does not hide what is printed behind it. */
    pending: string;
}

/* eslint-disable no-control-regex -- control characters are what this file is about */
const TOKEN =
    /\x1b\[([\d;:?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^[\]]|[\x00-\x1f\x7f]|[^\x00-\x1f\x7f]+/gu;
const UNFINISHED =
    /\x1b(?:\[[\d;:?]{0,64}[ -/]?|\](?:1337;File=[^\x07\x1b:\s]*(?::[\w+/=\s]*)?|(?!1337;File=)[^\x07\x1b]{0,256})\x1b?)?$/;
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/g;
/* eslint-enable no-control-regex */

/** The letter in whose place a picture stands. */
const PICTURE = '\ufffc';
/** Pixels of a run's pictures: as many bytes can come to a lot of them. */
const PIXELS_MAX = 4096 * 4096;

function withoutControls(text: string): string {
    return text.replace(CONTROLS, '');
}

function plain(stream: Stream): Style {
    return { stream, colour: null, ground: null, decorations: [] };
}

/** The 256-colour palette above its 16 named entries: a 6x6x6 cube, then 24 greys. */
function paletteColour(index: number): string {
    if (index >= 232) {
        const grey = 8 + (index - 232) * 10;
        return `rgb(${grey}, ${grey}, ${grey})`;
    }
    const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40);
    const cube = index - 16;
    const [r, g, b] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level);
    return `rgb(${r}, ${g}, ${b})`;
}

function colourOf(name: string | null, free: string | null): string | null {
    if (name === null) {
        return null;
    }
    if (name === 'ansi-truecolor') {
        return `rgb(${free})`;
    }
    const index = /^ansi-palette-(\d+)$/.exec(name)?.[1];
    return index === undefined
        ? name.replace(/^ansi-(bright-)?/, '')
        : paletteColour(Number(index));
}

function openPen(stream: PrintedStream): Pen {
    return { anser: new Anser(), style: plain(stream), pending: '' };
}

/** Applies one "select graphic rendition" sequence, for example ESC[1;31m. */
function recolour(pen: Pen, sequence: string): void {
    const [, entry] = pen.anser.ansiToJson(`${sequence}x`, { use_classes: true });
    if (entry === undefined) {
        return;
    }
    pen.style = {
        stream: pen.style.stream,
        colour: colourOf(entry.fg, entry.fg_truecolor),
        ground: colourOf(entry.bg, entry.bg_truecolor),
        decorations: entry.decorations,
    };
}

function emptyRow(): Row {
    return { spans: [], length: 0, cells: null };
}

const SURROGATE = /[\ud800-\udfff]/;

/** Letters as people count them, not halves of surrogate pairs. */
function lengthOf(text: string): number {
    return SURROGATE.test(text) ? [...text].length : text.length;
}

function append(row: Row, text: string, style: Style): void {
    const last = row.spans.at(-1);
    if (last?.style === style) {
        last.text += text;
    } else {
        row.spans.push({ text, style });
    }
    row.length += lengthOf(text);
}

function cellsOf(row: Row): Cell[] {
    row.cells ??= row.spans.flatMap(({ text, style }) =>
        [...text].map((char) => ({ char, style })),
    );
    return row.cells;
}

function spansOf(cells: readonly Cell[]): Line {
    const spans: Span[] = [];
    for (const { char, style } of cells) {
        const last = spans.at(-1);
        if (last?.style === style) {
            last.text += char;
        } else {
            spans.push({ text: char, style });
        }
    }
    return spans;
}

export class Terminal {
    private rows: Row[] = [emptyRow()];
    private lines: Line[] = [];
    private column = 0;
    private firstTouched = 0;
    private pictures = 0;
    private pixels = 0;
    private pens = { stdout: openPen('stdout'), stderr: openPen('stderr') };

    write(stream: PrintedStream, text: string): void {
        const pen = this.pens[stream];
        let ready = pen.pending + text;
        pen.pending = UNFINISHED.exec(ready)?.[0] ?? '';
        ready = ready.slice(0, ready.length - pen.pending.length);
        for (const [token, parameters, final] of ready.matchAll(TOKEN)) {
            if (final === 'm') {
                recolour(pen, token);
            } else if (final === 'K') {
                this.erase(parameters ?? '');
            } else if (isPicture(token)) {
                this.show(token, pen.style);
            } else if (token === '\t' || token >= ' ') {
                this.put(token, pen.style);
            } else {
                this.move(token);
            }
        }
    }

    /** What somebody typed, where the program had stopped; none of it controls anything. */
    echo(by: string | null, text: string): void {
        if (text === '') {
            return;
        }
        const style = plain('stdin');
        if (by !== null) {
            this.put(`${withoutControls(by)}: `, { ...style, decorations: ['bold'] });
        }
        for (const line of text.replace(/\n$/, '').split('\n')) {
            this.put(withoutControls(line), style);
            this.move('\n');
        }
    }

    clear(): void {
        this.rows = [emptyRow()];
        this.lines = [];
        this.column = 0;
        this.firstTouched = 0;
        this.pictures = 0;
        this.pixels = 0;
        this.pens = { stdout: openPen('stdout'), stderr: openPen('stderr') };
    }

    /** All lines so far; a last line without any text is left out. */
    snapshot(): readonly Line[] {
        for (let row = this.firstTouched; row < this.rows.length; row++) {
            const { cells, spans } = this.rows[row]!;
            this.lines[row] = cells ? spansOf(cells) : spans.map((span) => ({ ...span }));
        }
        this.firstTouched = this.rows.length - 1;
        const isOpen = this.rows.at(-1)!.length > 0;
        return this.lines.slice(0, isOpen ? undefined : -1);
    }

    private put(text: string, style: Style): void {
        const row = this.rows.at(-1)!;
        if (row.cells === null && this.column === row.length) {
            append(row, text, style);
            this.column = row.length;
            return;
        }
        const cells = cellsOf(row);
        for (const char of text) {
            cells[this.column++] = { char, style };
        }
        row.length = cells.length;
    }

    private show(token: string, style: Style): void {
        const picture = readPicture(token, this.pictures + 1);
        const pixels = this.pixels + (picture ? picture.width * picture.height : 0);
        if (picture === null) {
            this.put(strings.console.noPicture, style);
        } else if (pixels > PIXELS_MAX) {
            this.put(strings.console.largePicture, style);
        } else {
            this.pictures = picture.number;
            this.pixels = pixels;
            this.put(PICTURE, { ...plain(style.stream), picture });
        }
    }

    private move(control: string): void {
        if (control === '\n') {
            this.rows.push(emptyRow());
            this.column = 0;
        } else if (control === '\r') {
            this.column = 0;
        } else if (control === '\b') {
            this.column = Math.max(0, this.column - 1);
        }
    }

    private erase(parameters: string): void {
        const row = this.rows.at(-1)!;
        const cells = cellsOf(row);
        if (parameters === '' || parameters === '0') {
            cells.length = Math.min(cells.length, this.column);
        } else if (parameters === '2') {
            cells.fill({ char: ' ', style: plain('stdout') });
        }
        row.length = cells.length;
    }
}

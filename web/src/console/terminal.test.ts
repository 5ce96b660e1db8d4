import { describe, expect, it } from 'vitest';
import { Terminal, type Line } from './terminal';

const textOf = (line: Line): string => line.map((span) => span.text).join('');

function shown(...chunks: string[]): string[] {
    const terminal = new Terminal();
    for (const chunk of chunks) {
        terminal.write('stdout', chunk);
    }
    return terminal.snapshot().map(textOf);
}

describe('Terminal', () => {
    it('splits lines and keeps an open last one', () => {
        expect(shown('a\n\nb')).toEqual(['a', '', 'b']);
        expect(shown('a\n')).toEqual(['a']);
        expect(shown('')).toEqual([]);
    });

    it('lets a carriage return rewrite the line, and CR LF end it', () => {
        expect(shown('10%\r20%\r100%\n')).toEqual(['100%']);
        expect(shown('long line\rlo')).toEqual(['long line']);
        expect(shown('a\r\nb\r\n')).toEqual(['a', 'b']);
    });

    it('honours backspace and erase', () => {
        expect(shown('abc\b\bX')).toEqual(['aXc']);
        expect(shown('\b\ba')).toEqual(['a']);
        expect(shown('progress\r\x1b[Kok')).toEqual(['ok']);
    });

    it('drops other control sequences', () => {
        expect(shown('\x1b[2Ja\x1b]0;title\x07b\x1b[3;4Hc\x07\x00d\x1b=e')).toEqual(['abcde']);
    });

    it('stands a letter for a picture, and says why there is none', () => {
        // As wide and high as it says, and no further: what a browser makes of it is not known here.
        const png = (width: number, height: number): string => {
            const bytes = Buffer.alloc(25);
            bytes.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
            bytes.writeUInt32BE(width, 16);
            bytes.writeUInt32BE(height, 20);
            return bytes.toString('base64');
        };
        const show = (data: string): string => `\x1b]1337;File=name=eA==;inline=1:${data}\x07`;
        const terminal = new Terminal();
        const whole = `a${show(png(3, 2))}b\n`;
        for (const letter of whole) {
            terminal.write('stdout', letter);
        }
        terminal.write('stdout', show(png(4096, 4000)).replace('\x07', '\x1b\\'));
        const [first, second] = terminal.snapshot();
        expect(textOf(first!)).toBe('a\ufffcb');
        expect(first![1]!.style.picture).toEqual({
            address: `data:image/png;base64,${png(3, 2)}`,
            width: 3,
            height: 2,
            number: 1,
        });
        expect(second![0]!.style.picture?.number).toBe(2);
        expect(shown(show(png(4096, 4096)), show(png(1, 1)))[0]).toMatch(
            /^\ufffc.*too large to show/,
        );
        for (const data of [
            '',
            'iVBORw0',
            btoa('<svg/>'),
            png(0, 9),
            png(9, 5000),
            `${png(1, 1)}"`,
        ]) {
            expect(shown(show(data))).toEqual(['[a picture that is no PNG]']);
        }
        const endless = `\x1b]1337;File=inline=1:${png(1, 1)}`;
        expect(shown(`x${endless}`)).toEqual(['x']);
        expect(shown(`x${endless}`, '\n', 'over, and out\n')).toEqual([
            `x${endless.slice(1)}`,
            'over, and out',
        ]);
        expect(shown('a\r', show(png(1, 1)), 'b')).toEqual(['\ufffcb']);
    });

    it('joins sequences that arrive in pieces', () => {
        const terminal = new Terminal();
        terminal.write('stdout', 'a\x1b');
        terminal.write('stdout', '[3');
        terminal.write('stdout', '1mred');
        expect(terminal.snapshot()[0]?.map((span) => [span.text, span.style.colour])).toEqual([
            ['a', null],
            ['red', 'red'],
        ]);
    });

    it('keeps a colour across chunks and streams apart', () => {
        const terminal = new Terminal();
        terminal.write('stdout', '\x1b[1;32mgo');
        terminal.write('stderr', 'bad');
        terminal.write('stdout', 'on\x1b[0m.');
        const spans = terminal.snapshot()[0]!;
        expect(spans.map((span) => span.style.colour)).toEqual(['green', null, 'green', null]);
        expect(spans[0]?.style.decorations).toContain('bold');
        expect(spans[1]?.style.stream).toBe('stderr');
    });

    it('knows bright, palette, free and reversed colours', () => {
        const terminal = new Terminal();
        terminal.write('stdout', '\x1b[91ma\x1b[38;5;196mb\x1b[38;5;244mc\x1b[38;2;1;2;3md');
        terminal.write('stdout', '\x1b[0;7me');
        const styles = terminal.snapshot()[0]!.map((span) => span.style);
        expect(styles.map((style) => style.colour)).toEqual([
            'red',
            'rgb(255, 0, 0)',
            'rgb(128, 128, 128)',
            'rgb(1, 2, 3)',
            'black',
        ]);
        expect(styles[4]?.ground).toBe('white');
    });

    it('replaces only the lines that changed', () => {
        const terminal = new Terminal();
        terminal.write('stdout', 'one\ntwo');
        const before = terminal.snapshot();
        terminal.write('stdout', ' more\n');
        const after = terminal.snapshot();
        expect(after[0]).toBe(before[0]);
        expect(textOf(after[1]!)).toBe('two more');
        expect(textOf(before[1]!)).toBe('two');
    });

    it('starts again after clear', () => {
        const terminal = new Terminal();
        terminal.write('stdout', '\x1b[31mold\n');
        terminal.clear();
        terminal.write('stdout', 'new');
        expect(terminal.snapshot().map((line) => line[0]?.style.colour)).toEqual([null]);
    });

    it('echoes what was typed where the program stopped, and none of it controls anything', () => {
        const terminal = new Terminal();
        terminal.write('stdout', 'name? ');
        terminal.echo('Kim\u001b[31m', 'a\tb\u001b[2J\n');
        terminal.echo(null, 'no end of line');
        terminal.echo('Ada', '');
        terminal.write('stdout', 'next');
        const text = terminal
            .snapshot()
            .map((line) => line.map((span) => span.text).join(''))
            .join('\n');
        expect(text).toBe('name? Kim[31m: a\tb[2J\nno end of line\nnext');
    });
});

import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { returnsIn, TIDY, tidy } from './tidy';

function textOf(...pieces: (string | object)[]): Y.Text {
    const text = new Y.Doc().getText('monaco');
    for (const piece of pieces) {
        if (typeof piece === 'string') {
            text.insert(text.length, piece);
        } else {
            text.insertEmbed(text.length, piece);
        }
    }
    return text;
}

describe('tidy', () => {
    it.each([
        [['a\r\nb\r\n'], 'a\nb\n'],
        [['a\r', '\nb'], 'a\nb'],
        [['a\rb\r'], 'a\rb\r'],
        [['a\r\r\nb'], 'a\r\nb'],
        [['plain\n'], 'plain\n'],
        [['a', { image: 1 }, 'b'], 'ab'],
    ])('%j', (pieces, clean) => {
        const text = textOf(...pieces);
        tidy(text);
        expect(text.toString()).toBe(clean);
        expect(text.length).toBe(clean.length);
    });

    it('finds a CR LF that is cut by a format', () => {
        const text = textOf('a\r\nb');
        text.format(2, 1, { bold: true });
        tidy(text);
        expect(text.toString()).toBe('a\nb');
    });

    it('says nothing when there is nothing to do, and who it was otherwise', () => {
        const origins: unknown[] = [];
        const text = textOf('a\n');
        text.doc!.on('update', (_update, origin) => origins.push(origin));
        tidy(text);
        expect(origins).toEqual([]);
        text.insert(0, '\r\n');
        tidy(text);
        expect(origins).toEqual([null, TIDY]);
    });
});

describe('returnsIn', () => {
    it.each([
        [[{ retain: 2 }, { insert: 'a\n' }, { delete: 1 }], false],
        [[{ insert: 'a\r' }], true],
        [[{ insert: { image: 1 } }], true],
    ])('%j', (delta, result) => {
        expect(returnsIn(delta)).toBe(result);
    });
});

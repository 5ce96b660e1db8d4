import { describe, expect, it } from 'vitest';
import type { Limits } from '../api/types';
import { readPython, shortName, textOfBytes } from './pythonFile';

const bytesOf = (...numbers: number[]): ArrayBuffer => new Uint8Array(numbers).buffer;
const encoded = (text: string): ArrayBuffer => new TextEncoder().encode(text).slice().buffer;

describe('textOfBytes', () => {
    it.each([
        ['a\r\nb\rc\n', 'a\nb\nc\n'],
        ['\ufeffprint("ü")', 'print("ü")'],
        ['', ''],
    ])('%j', (text, clean) => {
        expect(textOfBytes(encoded(text))).toEqual({ text: clean });
    });

    it.each([
        ['Latin-1', bytesOf(0x70, 0xfc)],
        ['cut off', bytesOf(0xe2, 0x82)],
        ['no text', encoded('a\0b')],
    ])('refuses what is %s', (_what, bytes) => {
        expect(textOfBytes(bytes)).toHaveProperty('problem');
    });
});

describe('readPython', () => {
    const limits = { codeBytes: 8 } as Limits;

    it('takes a file up to the limit of the daemon', async () => {
        const fits = new File(['12345678'], 'a.py');
        expect(await readPython(fits, limits)).toEqual({ text: '12345678' });
        const over = new File(['123456789'], 'a.py');
        expect(await readPython(over, limits)).toEqual({
            problem: expect.stringContaining('9 bytes'),
        });
    });
});

it('cuts the names of files', () => {
    expect(shortName({ name: 'guess.py' })).toBe('guess.py');
    expect(shortName({ name: 'ü'.repeat(61) })).toBe(`${'ü'.repeat(59)}…`);
});

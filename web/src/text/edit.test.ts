import { describe, expect, it } from 'vitest';
import { editBetween, shifted, withoutReturns } from './edit';

function applied(before: string, after: string): string {
    const edit = editBetween(before, after);
    return edit === null
        ? before
        : before.slice(0, edit.at) + edit.inserted + before.slice(edit.at + edit.removed);
}

describe('editBetween', () => {
    it.each([
        ['', ''],
        ['', 'abc'],
        ['abc', ''],
        ['abc', 'abXc'],
        ['aaa', 'aa'],
        ['aa', 'aaa'],
        ['hello', 'help'],
        ['x\ny\nz', 'x\nz'],
    ])('%j to %j', (before, after) => {
        expect(applied(before, after)).toBe(after);
    });

    it('is as small as one replacement can be', () => {
        expect(editBetween('abcdef', 'abXYef')).toEqual({ at: 2, removed: 2, inserted: 'XY' });
        expect(editBetween('same', 'same')).toBeNull();
    });

    it('takes pairs of surrogates whole', () => {
        // The first pair shares its first half with the second, the other two their second half.
        expect(editBetween('a😀b', 'a😁b')).toEqual({ at: 1, removed: 2, inserted: '😁' });
        const [low, high] = ['\ud83c\udf00', '\ud83d\udf00'];
        expect(editBetween(`a${low}`, `a${high}`)).toEqual({
            at: 1,
            removed: 2,
            inserted: high,
        });
        expect(applied('😀😀', '😀')).toBe('😀');
        expect(applied('😀', '😀😀')).toBe('😀😀');
    });
});

describe('shifted', () => {
    const edit = { at: 4, removed: 2, inserted: 'xyz' };
    it.each([
        [0, 0],
        [4, 4],
        [5, 5],
        [6, 7],
        [10, 11],
    ])('%d to %d', (before, after) => {
        expect(shifted(before, edit)).toBe(after);
    });
});

describe('withoutReturns', () => {
    it('leaves LF alone', () => {
        expect(withoutReturns('a\r\nb\rc\nd\r')).toBe('a\nb\nc\nd\n');
    });
});

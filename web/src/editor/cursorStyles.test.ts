import { describe, expect, it } from 'vitest';
import { quoted, rulesFor } from './cursorStyles';

describe('quoted', () => {
    it.each([
        ['Ada7', '"Ada7"'],
        ['Q H', '"Q\\20 H"'],
        ['"}*{x}\\', '"\\22 \\7d \\2a \\7b x\\7d \\5c "'],
        ['</style>', '"\\3c \\2f style\\3e "'],
        ['é😀', '"\\e9 \\1f600 "'],
        ['a\nb', '"a\\a b"'],
    ])('%j', (text, css) => {
        expect(quoted(text)).toBe(css);
    });
});

describe('rulesFor', () => {
    it('holds nothing of a name but letters, digits and escapes', () => {
        const name = '"}body{display:none}/*';
        const rules = rulesFor(12, { name, colour: 3 }, true);
        expect(rules).toContain('.yRemoteSelectionHead-12::after');
        expect(rules).toContain('var(--person-3)');
        expect(rules).not.toContain('body{');
        expect(rules).not.toContain('/*');
    });

    it('refuses numbers that are none', () => {
        const client = '1{}' as unknown as number;
        expect(rulesFor(client, { name: 'x', colour: 0 }, true)).toBe('');
        expect(rulesFor(1, { name: 'x', colour: NaN }, true)).toBe('');
    });
});

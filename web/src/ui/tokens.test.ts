// The colour table's promise: text is readable and controls are visible in both themes.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COLOURS } from '../room/person';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');

function tokensOf(theme: string): Map<string, string> {
    const block = css.match(new RegExp(`\\[data-theme='${theme}'\\] \\{([^}]*)\\}`));
    const pairs = [...(block?.[1] ?? '').matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)];
    return new Map(pairs.map(([, name, value]) => [name!, value!]));
}

/** Relative luminance as WCAG 2 defines it, 0 for black to 1 for white. */
function luminance(hex: string): number {
    const [r, g, b] = [1, 3, 5].map((at) => {
        const value = parseInt(hex.slice(at, at + 2), 16) / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high! + 0.05) / (low! + 0.05);
}

const SURFACES = ['bg', 'surface', 'sunken'];
const TEXTS = ['text', 'text-2', 'text-3', 'accent', 'error', 'warning', 'ok'];
const SYNTAX = ['keyword', 'string', 'number', 'comment', 'function', 'type', 'decorator'];
const ANSI = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan'];

const PEOPLE = Array.from({ length: COLOURS }, (_, at) => `person-${at}`);

const PAIRS: [text: string, ground: string, least: number][] = [
    ...TEXTS.flatMap((text) => SURFACES.map((on): [string, string, number] => [text, on, 4.5])),
    ...SYNTAX.map((name): [string, string, number] => [`syntax-${name}`, 'surface', 4.5]),
    ...ANSI.map((name): [string, string, number] => [`ansi-${name}`, 'sunken', 4.5]),
    ...PEOPLE.flatMap((name): [string, string, number][] => [
        ['person-label', name, 4.5],
        [name, 'surface', 3],
    ]),
    ['accent-label', 'accent', 4.5],
    ['accent-label', 'accent-hover', 4.5],
    ['run-label', 'run', 4.5],
    ['run-label', 'run-hover', 4.5],
    ['error', 'error-bg', 4.5],
    ['warning', 'warning-bg', 4.5],
    ['text', 'error-bg', 4.5],
    ['text', 'warning-bg', 4.5],
    ['run', 'surface', 3],
    ['control', 'surface', 3],
    ['control', 'sunken', 3],
];

describe.each(['light', 'dark'])('%s theme', (theme) => {
    const tokens = tokensOf(theme);

    it.each(PAIRS)('%s on %s reaches %d', (text, ground, least) => {
        expect(contrast(tokens.get(text)!, tokens.get(ground)!)).toBeGreaterThanOrEqual(least);
    });
});

it('agrees with two published ratios', () => {
    expect(contrast('#ffffff', '#000000')).toBeCloseTo(21, 5);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});

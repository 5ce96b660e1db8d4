import { describe, expect, it } from 'vitest';
import {
    cleanName,
    COLOURS,
    initialsOf,
    leastUsed,
    NAME_MAX,
    personOf,
    randomPerson,
} from './person';

const NOBODY = { name: 'Guest', colour: 3 };

describe('cleanName', () => {
    it.each([
        ['Ada', 'Ada'],
        ['  Ada \n\t Lovelace ', 'Ada Lovelace'],
        ['Zoë 王', 'Zoë 王'],
        ['a\u202eb\u200bc\u0000d\ud800e', 'abcde'],
        ['x\u0301\u0302\u0303\u0304\u0305', 'x\u0301\u0302'],
        ['\u0007', ''],
        [42, ''],
        [null, ''],
        [{ toString: () => 'Ada' }, ''],
    ])('%j', (value, name) => {
        expect(cleanName(value)).toBe(name);
    });

    it('cuts between characters', () => {
        expect(cleanName('😀'.repeat(50))).toBe('😀'.repeat(NAME_MAX));
        expect(cleanName('x'.repeat(1_000_000))).toHaveLength(NAME_MAX);
    });
});

describe('personOf', () => {
    it.each([
        [
            { name: 'Ada', colour: 0 },
            { name: 'Ada', colour: 0 },
        ],
        [
            { name: 'Ada', colour: COLOURS },
            { name: 'Ada', colour: 3 },
        ],
        [
            { name: 'Ada', colour: 1.5 },
            { name: 'Ada', colour: 3 },
        ],
        [
            { name: 'Ada', colour: 'red;}' },
            { name: 'Ada', colour: 3 },
        ],
        [
            { name: '', colour: 5 },
            { name: 'Guest', colour: 5 },
        ],
        [undefined, NOBODY],
        [null, NOBODY],
        ['Ada', NOBODY],
    ])('%j', (value, person) => {
        expect(personOf(value, NOBODY)).toEqual(person);
    });
});

describe('randomPerson', () => {
    it.each([0, 0.5, 0.999_999])('is somebody for %d', (drawn) => {
        const person = randomPerson(() => drawn);
        expect(person.name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
        expect(personOf(person, NOBODY)).toEqual(person);
    });
});

describe('leastUsed', () => {
    const all = Array.from({ length: COLOURS }, (_, colour) => colour);
    it.each([
        [[], 3, 3],
        [[1, 2], 3, 3],
        [[3], 3, 4],
        [[11, 0], 11, 1],
        [all, 5, 5],
        [[...all, 5], 5, 6],
    ])('%j and %d: %d', (taken, own, colour) => {
        expect(leastUsed(taken, own)).toBe(colour);
    });
});

describe('initialsOf', () => {
    it.each([
        ['Quiet Heron', 'QH'],
        ['ada', 'A'],
        ['Ada von Lovelace', 'AL'],
        ['😀 x', '😀X'],
    ])('%s', (name, initials) => {
        expect(initialsOf(name)).toBe(initials);
    });
});

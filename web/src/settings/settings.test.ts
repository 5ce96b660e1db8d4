import { expect, it } from 'vitest';
import { settingsOf } from './settings';

const USUAL = settingsOf(null);

it.each([null, 7, 'x', [], {}, { fontSize: '20' }, { isWrapped: 1 }])(
    'has the usual settings where there are none: %j',
    (value) => {
        expect(settingsOf(value)).toEqual(USUAL);
    },
);

it('takes what is good, and holds the size to its bounds', () => {
    expect(settingsOf({ fontSize: 99, isWrapped: true, other: 1 })).toEqual({
        ...USUAL,
        fontSize: 20,
        isWrapped: true,
    });
    expect(settingsOf({ fontSize: -1 }).fontSize).toBe(12);
});

import { expect, it } from 'vitest';
import { codeHash } from './codeHash';

it.each([
    ['', 'cbf29ce484222325'],
    ['a', 'af63dc4c8601ec8c'],
    ['foobar', '85944171f73967e8'],
])('agrees with the published value for %j', (text, hash) => {
    expect(codeHash(text)).toBe(hash);
});

it('reads bytes, not letters', () => {
    expect(codeHash('é')).not.toBe(codeHash('e\u0301'));
});

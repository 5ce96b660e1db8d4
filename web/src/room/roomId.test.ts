import { describe, expect, it } from 'vitest';
import { newRoomId, pathOf, placeOf } from './roomId';

describe('placeOf', () => {
    it.each([
        ['/', { kind: 'new' }],
        ['/index.html', { kind: 'new' }],
        ['/r/my-room_7', { kind: 'room', id: 'my-room_7' }],
        ['/r/my-room_7/', { kind: 'room', id: 'my-room_7' }],
        [`/r/${'a'.repeat(64)}`, { kind: 'room', id: 'a'.repeat(64) }],
        [`/r/${'a'.repeat(65)}`, { kind: 'bad' }],
        ['/r/', { kind: 'bad' }],
        ['/r/a/b', { kind: 'bad' }],
        ['/r/a%20b', { kind: 'bad' }],
        ['/r/zoë', { kind: 'bad' }],
        ['/r/a\n', { kind: 'bad' }],
    ])('%j', (path, place) => {
        expect(placeOf(path)).toEqual(place);
    });
});

describe('newRoomId', () => {
    it('makes ids that the daemon takes, each another', () => {
        const ids = Array.from({ length: 200 }, newRoomId);
        for (const id of ids) {
            expect(id).toMatch(/^[A-Za-z0-9_-]{16}$/);
            expect(placeOf(pathOf(id))).toEqual({ kind: 'room', id });
        }
        expect(new Set(ids).size).toBe(200);
    });
});

// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { databaseOf, forgetOldRooms, keepsEdits, noteUse } from './keepsEdits';

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW = 1_800_000_000_000;
const deleted = vi.fn();

beforeEach(() => {
    localStorage.clear();
    deleted.mockClear();
    vi.stubGlobal('indexedDB', { deleteDatabase: deleted });
});

afterEach(() => {
    keepsEdits.set(true);
    vi.unstubAllGlobals();
});

it('forgets the rooms that were not used for a week', () => {
    noteUse('old', NOW - 7 * DAY_MS - 1);
    noteUse('new', NOW - 7 * DAY_MS + 1);
    noteUse('back', NOW - 30 * DAY_MS);
    noteUse('back', NOW - DAY_MS);
    forgetOldRooms(NOW);
    expect(deleted.mock.calls).toEqual([[databaseOf('old')]]);
    forgetOldRooms(NOW);
    expect(deleted).toHaveBeenCalledTimes(1);
});

it('forgets all of them when told to keep none', () => {
    noteUse('a', NOW);
    noteUse('b', NOW);
    keepsEdits.set(false);
    expect(deleted.mock.calls).toEqual([[databaseOf('a')], [databaseOf('b')]]);
    expect(localStorage.getItem('vve:keeps-edits')).toBe('no');
    keepsEdits.set(true);
    expect(localStorage.getItem('vve:keeps-edits')).toBeNull();
});

it.each(['', 'x', '7', 'null', '[1]', '{"a":"b"}'])('lives with %j in its place', (kept) => {
    localStorage.setItem('vve:rooms', kept);
    expect(() => forgetOldRooms(NOW)).not.toThrow();
});

it('does without storage', () => {
    vi.stubGlobal('indexedDB', undefined);
    noteUse('a', NOW - 8 * DAY_MS);
    expect(() => forgetOldRooms(NOW)).not.toThrow();
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import * as Y from 'yjs';
import { Saving } from './saving';

let doc: Y.Doc;
let asked: Uint8Array[];
let said: boolean[];
let saving: Saving;

beforeEach(() => {
    vi.useFakeTimers();
    doc = new Y.Doc();
    asked = [];
    said = [];
    saving = new Saving(doc, {
        ask: (vector) => asked.push(vector),
        onSlow: (isSlow) => said.push(isSlow),
    });
    saving.told(Y.encodeStateVector(new Y.Doc()));
});

afterEach(() => {
    vi.useRealTimers();
});

function type(): void {
    doc.getText('monaco').insert(0, 'x');
    saving.changed();
}

/** All of it is there. */
function answer(): void {
    saving.answered(Y.encodeStateAsUpdate(doc, asked.at(-1)));
}

/** Connected, and nothing left to ask. */
function begin(): void {
    saving.open();
    vi.advanceTimersByTime(0);
    answer();
    vi.advanceTimersByTime(2_000);
    asked = [];
    said = [];
}

it('asks at once after an edit, and then at most once a second', () => {
    begin();
    type();
    vi.advanceTimersByTime(0);
    expect(asked).toHaveLength(1);
    type();
    vi.advanceTimersByTime(10);
    answer();
    vi.advanceTimersByTime(980);
    expect(asked).toHaveLength(1);
    vi.advanceTimersByTime(20);
    expect(asked).toHaveLength(2);
    answer();
    expect(saving.isOwing).toBe(false);
    expect(said).not.toContain(true);
});

it('asks now and then when nothing is typed', () => {
    begin();
    vi.advanceTimersByTime(3_000);
    expect(asked).toHaveLength(1);
    answer();
    vi.advanceTimersByTime(5_000);
    expect(asked).toHaveLength(2);
});

it('says when it takes long, and when it is over', () => {
    begin();
    type();
    vi.advanceTimersByTime(990);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(20);
    expect(said).toEqual([true]);
    answer();
    expect(said).toEqual([true, false]);
});

it('goes on saying it while the daemon answers without having it', () => {
    begin();
    type();
    vi.advanceTimersByTime(0);
    saving.answered(Y.encodeStateAsUpdate(new Y.Doc()));
    expect(said).toEqual([true]);
    vi.advanceTimersByTime(1_000);
    expect(asked).toHaveLength(2);
    answer();
    expect(said.at(-1)).toBe(false);
});

it('asks nobody while the connection is away, and asks about it all when it is back', () => {
    begin();
    saving.close();
    type();
    vi.advanceTimersByTime(60_000);
    expect(asked).toEqual([]);
    expect(saving.isOwing).toBe(true);
    saving.open();
    vi.advanceTimersByTime(0);
    expect(asked).toHaveLength(1);
    answer();
    expect(saving.isOwing).toBe(false);
});

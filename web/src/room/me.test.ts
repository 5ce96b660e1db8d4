// @vitest-environment jsdom
import { beforeEach, expect, it, vi } from 'vitest';

type Me = typeof import('./me');

/** As a page that is opened with this kept in the browser; undefined: in a new browser. */
async function open(kept?: unknown): Promise<Me> {
    localStorage.clear();
    if (kept !== undefined) {
        localStorage.setItem('vve:me', JSON.stringify(kept));
    }
    return reopen();
}

function reopen(): Promise<Me> {
    vi.resetModules();
    return import('./me');
}

beforeEach(() => localStorage.clear());

it('draws a name for somebody new, and introduces it until that was used', async () => {
    const first = await open();
    const { name } = first.me.get();
    expect(name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
    expect(first.isNameDrawn.get()).toBe(true);
    const second = await reopen();
    expect(second.me.get().name).toBe(name);
    expect(second.isNameDrawn.get()).toBe(true);
    second.acceptName();
    const third = await reopen();
    expect(third.me.get().name).toBe(name);
    expect(third.isNameDrawn.get()).toBe(false);
});

it('does not introduce a name that was chosen', async () => {
    const first = await open();
    first.changeMe({ name: 'Ada' });
    expect(first.isNameDrawn.get()).toBe(false);
    const second = await reopen();
    expect(second.me.get().name).toBe('Ada');
    expect(second.isNameDrawn.get()).toBe(false);
    expect((await open({ name: 'Grace', colour: 1 })).isNameDrawn.get()).toBe(false);
});

it('gives way with a drawn colour, and not with a chosen one', async () => {
    const first = await open({ name: 'Ada', colour: 3, isColourDrawn: true });
    first.giveWay([1, 2]);
    expect(first.me.get().colour).toBe(3);
    first.giveWay([3, 4]);
    expect(first.me.get().colour).toBe(5);
    expect((await reopen()).me.get().colour).toBe(5);
    first.changeMe({ colour: 3 });
    const second = await reopen();
    second.giveWay([3, 4]);
    expect(second.me.get()).toEqual({ name: 'Ada', colour: 3 });
});

// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { isIdle, watchIdle } from './idle';

let stop: () => void;

beforeEach(() => {
    vi.useFakeTimers();
    stop = watchIdle();
});

afterEach(() => {
    stop();
    vi.useRealTimers();
});

it('is idle two minutes after the last sign of life, and back with the next', () => {
    vi.advanceTimersByTime(100_000);
    window.dispatchEvent(new Event('keydown'));
    vi.advanceTimersByTime(119_999);
    expect(isIdle.get()).toBe(false);
    vi.advanceTimersByTime(1);
    expect(isIdle.get()).toBe(true);
    window.dispatchEvent(new Event('pointermove'));
    expect(isIdle.get()).toBe(false);
    vi.advanceTimersByTime(120_000);
    expect(isIdle.get()).toBe(true);
});

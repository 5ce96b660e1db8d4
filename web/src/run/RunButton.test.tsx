// @vitest-environment jsdom
// Each state of the Run button: its words, whether it acts, and what a press does.
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { ButtonMode } from './buttonMode';
import { RunButton } from './RunButton';

afterEach(cleanup);

const CASES: [
    ButtonMode,
    name: string,
    does: 'run' | 'stop' | 'retry' | null,
    acts: boolean,
][] = [
    [{ kind: 'idle' }, 'Run', 'run', true],
    [{ kind: 'joining' }, 'Run', null, false],
    [{ kind: 'sending' }, 'Run', null, false],
    [{ kind: 'queued', position: 2 }, 'Queued 2', 'stop', true],
    [{ kind: 'queued', position: null }, 'Queued', 'stop', true],
    [{ kind: 'running', seconds: 3, by: null }, 'Stop', 'stop', true],
    [{ kind: 'running', seconds: 3, by: 'Ada' }, 'Stop', 'stop', true],
    [{ kind: 'stopping' }, 'Stopping', null, false],
    [{ kind: 'held', seconds: 7 }, 'Run in 7 s', null, false],
    [{ kind: 'offline' }, 'Offline', 'retry', false],
    [{ kind: 'unavailable' }, 'Unavailable', 'retry', false],
];

it.each(CASES)('%o', (mode, name, does, acts) => {
    const calls = { run: vi.fn(), stop: vi.fn(), retry: vi.fn() };
    render(
        <RunButton mode={mode} onRun={calls.run} onStop={calls.stop} onRetry={calls.retry} />,
    );
    const button = screen.getByRole('button', { name });
    expect(button.getAttribute('aria-disabled')).toBe(String(!acts));
    expect((button as HTMLButtonElement).disabled).toBe(false);
    expect(button.title).not.toBe('');
    fireEvent.click(button);
    for (const [call, spy] of Object.entries(calls)) {
        expect(spy).toHaveBeenCalledTimes(call === does ? 1 : 0);
    }
});

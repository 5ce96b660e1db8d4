// Child processes that a test starts and ends itself, always by pid, and the wait for an event with
// a deadline that everything here is built on.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const DEADLINE_MS = 30_000;

// Resolves with the first truthy value of `probe`, asked again every few milliseconds; rejects after
// the deadline with what was waited for.
export async function until(what, probe, deadlineMs = DEADLINE_MS) {
    const end = Date.now() + deadlineMs;
    for (;;) {
        const value = await probe();
        if (value) return value;
        if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}

export function temporaryFolder() {
    const path = mkdtempSync(join(tmpdir(), 'vve-test-'));
    return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

// Whatever a failed test has left running ends with the test's process.
const running = new Set();
process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL');
});

// A child whose stderr and stdout are kept as text. `exit` is a promise of its code, or signal name.
// Only a test that waits for the exit is kept waiting by it.
export function start(command, args, options = {}) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const streams = [child.stdout, child.stderr];
    const closed = new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, signal) => {
            running.delete(child);
            started.exited = true;
            resolve(signal ?? code);
        });
    });
    closed.catch(() => {}); // whoever waits hears of it
    const started = {
        pid: child.pid,
        log: '',
        exited: false,
        signal: (name) => child.kill(name),
        get exit() {
            for (const handle of [child, ...streams]) handle.ref();
            return closed;
        },
    };
    running.add(child);
    for (const stream of streams) {
        stream.on('data', (chunk) => {
            started.log += chunk;
        });
    }
    for (const handle of [child, ...streams]) handle.unref();
    return started;
}

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

// A child whose stderr and stdout are kept as text. `exit` resolves with its code, or signal name.
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const process_ = { child, pid: child.pid, log: '' };
  const keep = (chunk) => {
    process_.log += chunk;
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  process_.exited = false;
  process_.exit = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process_.exited = true;
      resolve(signal ?? code);
    });
  });
  process_.signal = (name) => child.kill(name);
  return process_;
}

// What the Docker Engine says of our containers.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export async function docker(...args) {
  const { stdout } = await run('docker', args, { maxBuffer: 64 << 20 });
  return stdout.trimEnd();
}

// The names of the slots that the daemons have had so far, from their logs.
export function slotNames(...daemons) {
  return new Set(daemons.flatMap((d) => [...d.log.matchAll(/slot\.started worker=(\S+)/g)].map((m) => m[1])));
}

// The most containers of these slots that ran at the same time since `sinceMs`, and how many were
// started in all, computed from the Engine's own events.
export async function mostRunning(names, sinceMs) {
  const text = await docker('events', '--since', (sinceMs / 1000).toFixed(3), '--until', (Date.now() / 1000).toFixed(3),
    '--filter', 'label=vve=1', '--filter', 'event=start', '--filter', 'event=die',
    '--format', '{{.TimeNano}} {{.Action}} {{.ID}} {{index .Actor.Attributes "vve.worker"}}');
  const events = text.split('\n').filter(Boolean).map((line) => line.split(' '))
    .filter(([, , , worker]) => names.has(worker))
    .sort((a, b) => (BigInt(a[0]) < BigInt(b[0]) ? -1 : 1));
  const running = new Set();
  let most = 0;
  let started = 0;
  for (const [, action, id] of events) {
    if (action === 'start') {
      running.add(id);
      started += 1;
    } else running.delete(id);
    most = Math.max(most, running.size);
  }
  return { most, started };
}

// Containers of these slots that exist now, in any state.
export async function containersOf(names) {
  const text = await docker('ps', '-a', '--filter', 'label=vve=1', '--format', '{{.ID}} {{.Label "vve.worker"}} {{.State}}');
  return text.split('\n').filter(Boolean).map((line) => line.split(' ')).filter(([, worker]) => names.has(worker));
}

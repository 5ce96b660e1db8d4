// What the Docker Engine says of our containers.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { start, until } from './process.js';

const run = promisify(execFile);

export async function docker(...args) {
    const { stdout } = await run('docker', args, { maxBuffer: 64 << 20 });
    return stdout.trimEnd();
}

// The names of the slots that the daemons have had so far, from their logs.
export function slotNames(...daemons) {
    return new Set(
        daemons.flatMap((d) => [...d.log.matchAll(/slot\.started worker=(\S+)/g)].map((m) => m[1])),
    );
}

// Listens to the Engine's own events (which it keeps only the last 256 of) from now on.
export function watchEngine() {
    const listener = start('docker', [
        'events',
        '--filter',
        'label=vve=1',
        '--filter',
        'event=start',
        '--filter',
        'event=die',
        '--format',
        '{{.TimeNano}} {{.Action}} {{.ID}} {{index .Actor.Attributes "vve.worker"}}',
    ]);
    const events = () =>
        listener.log
            .split('\n')
            .filter((line) => /^\d+ \w+ \w+ \S+$/.test(line))
            .map((line) => line.split(' '));
    return {
        // The most containers of these slots that ran at the same time, and how many were started in all.
        async mostRunning(names) {
            const last = (await containersOf(names))
                .filter(([, , state]) => state === 'running')
                .map(([id]) => id);
            await until('the Engine to have told the last start', () => {
                const heard = events();
                return last.every((id) =>
                    heard.some(([, action, full]) => action === 'start' && full.startsWith(id)),
                );
            });
            listener.signal('SIGTERM');
            await listener.exit;
            const running = new Set();
            let most = 0;
            let started = 0;
            for (const [, action, id, worker] of events().sort((a, b) =>
                BigInt(a[0]) < BigInt(b[0]) ? -1 : 1,
            )) {
                if (!names.has(worker)) continue;
                if (action === 'start') {
                    running.add(id);
                    started += 1;
                } else running.delete(id);
                most = Math.max(most, running.size);
            }
            return { most, started };
        },
    };
}

// Containers of these slots that exist now, in any state.
export async function containersOf(names) {
    const text = await docker(
        'ps',
        '-a',
        '--filter',
        'label=vve=1',
        '--format',
        '{{.ID}} {{.Label "vve.worker"}} {{.State}}',
    );
    return text
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' '))
        .filter(([, worker]) => names.has(worker));
}

// The daemon as a service: what its manager hears of it, and sockets that it is started with.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as api from './lib/api.js';
import { startDaemon } from './lib/daemon.js';
import { start, until } from './lib/process.js';
import { startRedis } from './lib/redis.js';

const MANAGER = ['python3', fileURLToPath(new URL('lib/manager.py', import.meta.url))];
// systemd-socket-activate starts its service with hardly any of its own environment.
const PASSED_ON = Object.entries(process.env)
    .filter(([name]) => name.startsWith('VVE_'))
    .map(([name, value]) => `--setenv=${name}=${value}`);
const SILENT_MS = 60_000; // a slot counts as stuck after 30 s
const PERIOD_MS = 200;

let redis;
let daemon;
let helpers = [];
before(async () => {
    redis = await startRedis();
});
afterEach(async () => {
    await daemon?.stop();
    for (const helper of helpers) {
        helper.signal('SIGTERM');
        await helper.exit;
    }
    helpers = [];
});
after(() => redis.stop());

function help(...words) {
    const helper = start(MANAGER[0], [MANAGER[1], ...words]);
    helpers.push(helper);
    return helper;
}

// A manager that has heard `messages` so far, and the environment that it gives a service.
async function listen() {
    const name = `vve-test-${randomUUID()}`;
    const helper = help('listen', name);
    await until(`a manager:\n${helper.log}`, () => helper.log.startsWith('listening\n'));
    return {
        env: { NOTIFY_SOCKET: `@${name}`, WATCHDOG_USEC: String(PERIOD_MS * 1000) },
        get messages() {
            return helper.log.split('\n').slice(1, -1);
        },
        heard(message, count = 1) {
            return until(
                `${count} ${message}`,
                () => this.messages.filter((m) => m === message).length >= count,
            );
        },
    };
}

test('ready once it serves and its slots have started, alive from then on, stopping', async () => {
    const manager = await listen();
    const [started] = await Promise.all([
        startDaemon(redis, { env: manager.env, ready: false }),
        manager.heard('READY=1'),
    ]);
    daemon = started;
    assert.equal((await api.request(daemon, 'GET', '/healthz')).status, 200);
    await until('slots', () => daemon.log.match(/slot\.started/g)?.length === 2);
    await manager.heard('WATCHDOG=1', 3);
    assert.equal(await daemon.stop(), 0, daemon.log);
    await manager.heard('STOPPING=1');
    assert.deepEqual(
        manager.messages.filter((message) => message !== 'WATCHDOG=1'),
        ['READY=1', 'STOPPING=1'],
    );
});

test('a start that fails is not ready', async () => {
    const manager = await listen();
    await assert.rejects(
        startDaemon(redis, {
            env: manager.env,
            ready: false,
            args: ['--role', 'gateway', '--listen', '192.0.2.1:1'],
        }),
        /cannot_listen/,
    );
    await manager.heard('STOPPING=1');
    assert.deepEqual(manager.messages, ['STOPPING=1']);
});

// Each of the two daemons has one of the two slots.
test('a stuck slot ends the signs of life, a Redis that is away does not', async () => {
    const args = ['--slots', '1'];
    const manager = await listen();
    daemon = await startDaemon(redis, { args, env: manager.env });
    const deserted = await listen();
    const otherRedis = await startRedis();
    const other = await startDaemon(otherRedis, { args, env: deserted.env });
    await otherRedis.kill();
    const freezer = help('freeze', String(daemon.pid), 'slot');
    await until('a frozen slot', () => freezer.log === 'frozen\n' || freezer.exited);
    assert.equal(freezer.log, 'frozen\n');

    await until('the daemon to notice', () => /service\.stuck/.test(daemon.log), SILENT_MS);
    const then = manager.messages.length;
    assert.ok(then > 100, `${then} signs of life before`);
    assert.equal((await api.request(daemon, 'GET', '/healthz')).status, 200);
    const already = deserted.messages.length;
    await deserted.heard('WATCHDOG=1', already + 10);
    assert.equal(manager.messages.length, then);
    assert.doesNotMatch(other.log, /service\.stuck/);

    freezer.signal('SIGTERM');
    await until('the slot to go on', () => /service\.well/.test(daemon.log));
    await manager.heard('WATCHDOG=1', then);
    assert.equal(await other.stop(), 0, other.log);
    await otherRedis.stop();
});

test('systemd-socket-activate', async () => {
    const port = await new Promise((resolve) => {
        const server = createServer().listen(0, '127.0.0.1', () => {
            const chosen = server.address().port;
            server.close(() => resolve(chosen));
        });
    });
    const [started, answer] = await Promise.all([
        startDaemon(redis, {
            wrap: ['systemd-socket-activate', '--listen', `127.0.0.1:${port}`, ...PASSED_ON],
        }),
        until('the first answer', () =>
            fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined),
        ),
    ]);
    daemon = started;
    assert.equal(answer.status, 200);
    assert.equal(daemon.port, port);
    assert.match(daemon.log, /server\.listening host=inherited/);
    assert.equal((await api.run(daemon, 'print(1)')).stdout, '1\n');
});

test('whoever comes while it restarts is served by the next', async () => {
    daemon = await startDaemon(redis, { wrap: [...MANAGER, 'inherit'], ready: false });
    daemon.signal('SIGUSR1');
    await until('the end', () => /^ended 0$/m.test(daemon.log));
    const answer = fetch(`${daemon.url}/healthz`);
    daemon.signal('SIGUSR2');
    assert.equal((await answer).status, 200);
    assert.equal(daemon.log.match(/server\.listening host=inherited/g).length, 2, daemon.log);
});

// The Docker Engine restarts, and dies, under running programs: every run still comes to one end. The
// Engine is one of the test's own, beside the machine's.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import * as api from '../integration/lib/api.js';
import { startDaemon } from '../integration/lib/daemon.js';
import { start, temporaryFolder, until } from '../integration/lib/process.js';
import { startRedis } from '../integration/lib/redis.js';

const run = promisify(execFile);
const IMAGE = process.env.VVE_IMAGE ?? 'vve-runner:latest';
const LONG = 90_000;

const folder = temporaryFolder();
const socket = `${folder.path}/docker.sock`;
// containerd stays up while dockerd comes and goes, as under systemd.
const engine = {
    containerd: null,
    server: null,
    async up() {
        const address = `${folder.path}/containerd.sock`;
        if (engine.containerd === null) {
            engine.containerd = start('containerd', [
                '--address',
                address,
                '--root',
                `${folder.path}/containerd`,
                '--state',
                `${folder.path}/state`,
            ]);
            await until('containerd to listen', () => existsSync(address));
        }
        engine.server = start('dockerd', [
            '--host',
            `unix://${socket}`,
            '--containerd',
            address,
            '--data-root',
            `${folder.path}/data`,
            '--exec-root',
            `${folder.path}/exec`,
            '--pidfile',
            `${folder.path}/docker.pid`,
            '--bridge=none',
            '--iptables=false',
            '--ip6tables=false',
        ]);
        await until(
            'the private Engine to answer',
            async () => {
                if (engine.server.exited) throw new Error(engine.server.log.slice(-2000));
                return run('docker', ['-H', `unix://${socket}`, 'version']).then(
                    () => true,
                    () => false,
                );
            },
            LONG,
        );
    },
    async down(signal) {
        engine.server.signal(signal);
        await engine.server.exit;
    },
    async end() {
        await engine.down('SIGTERM');
        engine.containerd.signal('SIGTERM');
        await engine.containerd.exit;
        const mounts = readFileSync('/proc/mounts', 'utf8')
            .split('\n')
            .map((line) => line.split(' ')[1]);
        for (const path of mounts.filter((at) => at?.startsWith(folder.path)).reverse())
            await run('umount', [path]);
        folder.remove();
    },
};

let redis;
let daemon;
before(async () => {
    await engine.up();
    await run('sh', ['-c', `docker save ${IMAGE} | docker -H unix://${socket} load`]);
    redis = await startRedis();
    daemon = await startDaemon(redis, { args: ['--docker-socket', socket] });
});
after(async () => {
    assert.equal(await daemon?.stop(), 0, daemon?.log);
    await redis?.stop();
    await engine.end();
});

async function endOnce(jobIds) {
    for (const jobId of jobIds) {
        const object = await api.ended(daemon, jobId, LONG);
        assert.equal(object.status, 'completed', JSON.stringify(object));
        const log = await redis.call('XRANGE', `job:${jobId}:events`, '-', '+');
        assert.equal(
            log.split('\n').filter((line) => line === 'end').length,
            1,
            `ends of ${jobId}`,
        );
    }
}

for (const signal of ['SIGTERM', 'SIGKILL']) {
    test(`${signal} of dockerd with 2 running and 6 queued`, async () => {
        const jobIds = [];
        for (let i = 0; i < 2; i++)
            jobIds.push(
                await api.submit(daemon, "import time\nprint('up')\ntime.sleep(3)\nprint('done')"),
            );
        for (const jobId of jobIds) await api.reached(daemon, jobId, 'running');
        for (let i = 0; i < 6; i++) jobIds.push(await api.submit(daemon, `print(${i})`));
        await engine.down(signal);
        await until(
            'the daemon to say that it is not ready',
            async () => (await api.request(daemon, 'GET', '/readyz')).status === 503,
        );
        await engine.up();
        await endOnce(jobIds);
        await until(
            'the daemon to be ready again',
            async () => (await api.request(daemon, 'GET', '/readyz')).status === 200,
            LONG,
        );
    });
}

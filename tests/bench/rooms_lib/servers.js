// The servers that tests/bench/rooms compares, each a process of its own that knows no room yet.
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDaemon } from '../../integration/lib/daemon.js';
import { start, until } from '../../integration/lib/process.js';
import { startRedis } from '../../integration/lib/redis.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, '../node_modules');

// Beyond what a daemon lets one client do: all of the load comes from this machine.
const FLAGS = [
    ...['--role', 'gateway'],
    ...['--connections-per-client', '20000'],
    ...['--rooms-per-minute', '0'],
    ...['--room-people', '2000'],
];

// With as many open files as the system lets a process ask for (Node asks by itself), and with the
// memory setting of deploy/run.
const AS_DEPLOYED = [
    'sh',
    '-c',
    'ulimit -n "$(ulimit -H -n)" && GLIBC_TUNABLES=glibc.malloc.tcache_count=0 exec "$0" "$@"',
];

// Redis writes to disk once a second, as deploy/run starts it.
async function startOurs() {
    const redis = await startRedis({ args: ['--appendfsync', 'everysec'] });
    try {
        const daemon = await startDaemon(redis, { args: FLAGS, wrap: AS_DEPLOYED });
        return {
            port: daemon.port,
            pids: [daemon.pid, redis.server.pid],
            log: () => daemon.log,
            stop: async () => {
                const code = await daemon.stop();
                await redis.stop();
                if (code !== 0) throw new Error(`the daemon ended with ${code}:\n${daemon.log}`);
            },
        };
    } catch (error) {
        await redis.stop();
        throw error;
    }
}

function freePort() {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

async function startPeer(script, port, ready) {
    const env = { ...process.env, HOST: '127.0.0.1', PORT: String(port), NODE_ENV: 'production' };
    const peer = start(process.execPath, [script], { env });
    const found = await until(`${script} to listen`, () => {
        if (peer.exited) throw new Error(`${script} ended at its start:\n${peer.log}`);
        return peer.log.match(ready)?.[1];
    });
    return {
        port: Number(found),
        pids: [peer.pid],
        log: () => peer.log,
        stop: async () => {
            peer.signal('SIGKILL');
            await peer.exit;
        },
    };
}

const startYWebsocket = async () =>
    startPeer(
        join(MODULES, '@y/websocket-server/src/server.js'),
        await freePort(),
        /running at .* on port (\d+)/,
    );

const startHocuspocus = () => startPeer(join(HERE, 'hocuspocus.js'), 0, /port=(\d+)/);

// By name. `dialect` is what load.c calls it; a started server has a port, its process and perhaps one beside
// it, and the text of its log.
export const SERVERS = {
    ours: { dialect: 'collab', start: startOurs },
    'y-websocket': { dialect: 'y-websocket', start: startYWebsocket },
    hocuspocus: { dialect: 'hocuspocus', start: startHocuspocus },
};

// A daemon that can be killed and started again under the same address. No programs run in it.
import { createServer } from 'node:net';
import { startDaemon } from '../../integration/lib/daemon.js';

// Below the range that clients get their ports from: a client that knocks while the daemon is away
// could otherwise be given the daemon's own port.
export async function freePort() {
    for (;;) {
        const port = 20_000 + Math.floor(Math.random() * 12_000);
        const free = await new Promise((resolve) => {
            const server = createServer();
            server.on('error', () => resolve(false));
            server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
        });
        if (free) return port;
    }
}

const ROOMY = [
    ['--slots', '0'],
    ['--rooms-per-minute', '0'],
    ['--connections-per-client', '5000'],
].flat();

// `args`: options of the daemon, which may be other ones after a restart.
export async function startHouse(redis, args = []) {
    const port = await freePort();
    const listen = ['--listen', `127.0.0.1:${port}`];
    const house = {
        port,
        url: `ws://127.0.0.1:${port}/collab`,
        args,
        daemon: null,
        async start(options = {}) {
            house.daemon = await startDaemon(redis, {
                args: [...ROOMY, ...house.args, ...listen],
                ...options,
            });
        },
        async kill() {
            house.daemon.signal('SIGKILL');
            await house.daemon.exit;
        },
        // Resolves with the exit code.
        stop: () => house.daemon.stop(),
    };
    await house.start();
    return house;
}

// The real daemon under test. VVE_BIN names the program (default build/bin/vve), VVE_IMAGE the image.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import { start, temporaryFolder, until } from './process.js';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const BUILT = join(ROOT, 'build/bin/vve');

// The page as built, or a stand-in folder for tests of the server alone.
function webRoot() {
    const built = join(ROOT, 'web/dist');
    return existsSync(join(built, 'index.html')) ? built : join(ROOT, 'tests/integration/page');
}

// One lock folder a test file, so that its daemons share the two slots among themselves and with
// nobody else.
let locks = null;
function lockFolder() {
    if (locks === null) {
        locks = temporaryFolder();
        process.on('exit', () => locks.remove());
    }
    return locks.path;
}

// `wrap` is a command to run the daemon under, such as valgrind.
export async function startDaemon(
    redis,
    { args = [], ready = true, host = '127.0.0.1', wrap = [], env = {} } = {},
) {
    const [program, ...before] = [...wrap, process.env.VVE_BIN ?? BUILT];
    const words = [
        ...before,
        '--listen',
        `${host}:0`,
        '--redis',
        redis.address,
        '--seccomp',
        join(ROOT, 'deploy/seccomp.json'),
        '--web-root',
        webRoot(),
        '--lock-dir',
        lockFolder(),
        ...args,
    ];
    const daemon = start(program, words, { env: { ...process.env, ...env } });
    const port = await until(`the daemon to listen:\n${daemon.log}`, () => {
        if (daemon.exited) throw new Error(`the daemon ended at start:\n${daemon.log}`);
        return daemon.log.match(/server\.listening .*port=(\d+)/)?.[1];
    });
    daemon.port = Number(port);
    daemon.url = `http://127.0.0.1:${port}`;
    daemon.stop = async () => {
        if (!daemon.exited) {
            daemon.signal('SIGTERM');
        }
        return daemon.exit;
    };
    if (ready) {
        await until('the daemon to be ready', async () => {
            if (daemon.exited) throw new Error(`the daemon ended:\n${daemon.log}`);
            return (await fetch(`${daemon.url}/readyz`)).status === 200;
        }).catch((error) => {
            daemon.signal('SIGKILL');
            throw new Error(`${error.message}\n${daemon.log}`);
        });
    }
    return daemon;
}

// A redis-server of the test's own: Unix socket only, its data in a temporary folder. Daemons may do
// there what they may in the package's Redis; tests may do everything.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { start, temporaryFolder, until } from './process.js';

const run = promisify(execFile);

const PACKAGED = readFileSync(
    new URL('../../../deploy/package/redis.conf', import.meta.url),
    'utf8',
);
const DAEMONS = PACKAGED.match(/^user (default .*)$/m)[1].split(' ');
const TESTS = ['tests', 'on', 'nopass', '~*', '&*', '+@all'];
const LOGIN = { username: 'tests', password: 'any' };
const AS_TESTS = ['--user', LOGIN.username, '--pass', LOGIN.password, '--no-auth-warning'];

// `wrap` is a command to run it under.
export async function startRedis({ args: more = [], wrap = [] } = {}) {
    const folder = temporaryFolder();
    const socket = join(folder.path, 'redis.sock');
    const args = [
        '--port',
        '0',
        '--unixsocket',
        socket,
        '--dir',
        folder.path,
        '--save',
        '',
        '--appendonly',
        'yes',
        '--appendfsync',
        'always',
        '--user',
        ...DAEMONS,
        '--user',
        ...TESTS,
        ...more,
    ];
    const redis = {
        address: `unix:${socket}`,
        login: LOGIN,
        server: null,
        async call(...words) {
            const args = ['-s', socket, ...AS_TESTS, ...words.map(String)];
            const { stdout } = await run('redis-cli', args);
            return stdout.trimEnd();
        },
        async up() {
            const [program, ...words] = [...wrap, 'redis-server', ...args];
            redis.server = start(program, words);
            await until('redis-server to answer', async () => {
                try {
                    return (await redis.call('PING')) === 'PONG';
                } catch {
                    return false;
                }
            });
        },
        async kill() {
            redis.server.signal('SIGKILL');
            await redis.server.exit;
        },
        async stop() {
            if (!redis.server.exited) {
                redis.server.signal('SIGCONT');
                redis.server.signal('SIGTERM');
                await redis.server.exit;
            }
            folder.remove();
        },
    };
    await redis.up();
    return redis;
}

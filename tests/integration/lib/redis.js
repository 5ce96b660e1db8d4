// A redis-server of the test's own: Unix socket only, its data in a temporary folder.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { start, temporaryFolder, until } from './process.js';

const run = promisify(execFile);

export async function startRedis(options = {}) {
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
        ...(options.args ?? []),
    ];
    const redis = {
        address: `unix:${socket}`,
        server: null,
        async call(...words) {
            const { stdout } = await run('redis-cli', ['-s', socket, ...words.map(String)]);
            return stdout.trimEnd();
        },
        async up() {
            redis.server = start('redis-server', args);
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

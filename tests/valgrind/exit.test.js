// A daemon that has served, run programs and been stopped holds no byte at its end. valgrind counts
// them, because libraries that keep a global pointer hide a leak from other tools.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as api from '../integration/lib/api.js';
import { startDaemon } from '../integration/lib/daemon.js';
import { startRedis } from '../integration/lib/redis.js';

test('0 bytes in use at exit, and no error on the way', async () => {
    const redis = await startRedis();
    const daemon = await startDaemon(redis, {
        wrap: ['valgrind', '--leak-check=full', '--error-exitcode=99'],
    });
    assert.equal((await api.run(daemon, "print('hello')")).stdout, 'hello\n');
    const jobId = await api.submit(daemon, "print('up')\nwhile True: pass");
    for await (const event of api.events(daemon, jobId)) {
        if (event.event === 'output')
            await api.request(daemon, 'POST', `/api/jobs/${jobId}/cancel`);
    }
    assert.equal((await api.request(daemon, 'GET', '/')).status, 200);
    assert.equal((await api.execute(daemon, { code: 1 })).status, 400);
    assert.equal((await api.status(daemon, jobId)).status, 'cancelled');
    assert.equal(await daemon.stop(), 0, daemon.log);
    await redis.stop();
    assert.match(daemon.log, /in use at exit: 0 bytes in 0 blocks/, daemon.log.slice(-3000));
    assert.match(daemon.log, /ERROR SUMMARY: 0 errors/, daemon.log.slice(-3000));
});

// Faults: whatever dies - daemon, Redis, memory - every accepted run reaches exactly one end.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import * as api from './lib/api.js';
import { startDaemon } from './lib/daemon.js';
import { containersOf, slotNames, watchEngine } from './lib/engine.js';
import { until } from './lib/process.js';
import { startRedis } from './lib/redis.js';

const MIXED_JOBS = Number(process.env.VVE_TEST_MIXED_JOBS ?? 40);
const LONG = 120_000;

let redis;
let daemon;
beforeEach(async () => {
    redis = await startRedis();
    daemon = await startDaemon(redis);
});
afterEach(async () => {
    await daemon?.stop();
    await redis?.stop();
});

async function assertEndedOnce(jobIds, by = daemon, status = 'completed') {
    for (const jobId of jobIds) {
        const object = await api.ended(by, jobId, LONG);
        assert.equal(object.status, status, JSON.stringify(object));
        const log = await redis.call('XRANGE', `job:${jobId}:events`, '-', '+');
        assert.equal(
            log.split('\n').filter((line) => line === 'end').length,
            1,
            `ends of ${jobId}`,
        );
    }
    await until(
        'an empty queue',
        async () => (await redis.call('LLEN', 'submission_queue')) === '0',
    );
}

async function submitMany(count, program) {
    const jobIds = [];
    for (let i = 0; i < count; i++) jobIds.push(await api.submit(daemon, program(i)));
    return jobIds;
}

// Two programs that run until they are told, and jobs that wait behind them.
async function twoRunningAnd(count) {
    const running = await submitMany(
        2,
        () => "import time\nprint('up')\ntime.sleep(1.5)\nprint('done')",
    );
    for (const jobId of running) await api.reached(daemon, jobId, 'running');
    return [...running, ...(await submitMany(count, (i) => `print(${i})`))];
}

test('SIGKILL of the daemon with 2 running and 20 queued', async () => {
    const jobIds = await twoRunningAnd(20);
    daemon.signal('SIGKILL');
    await daemon.exit;
    daemon = await startDaemon(redis);
    await assertEndedOnce(jobIds);
});

test('SIGKILL of redis-server with 2 running and 20 queued', async () => {
    const jobIds = await twoRunningAnd(20);
    await redis.kill();
    await until('a refusal', async () => (await api.execute(daemon, 'pass')).status === 503);
    const refused = await api.execute(daemon, 'pass');
    assert.equal(refused.json.error.code, 'unavailable');
    assert.ok(Number(refused.headers['retry-after']) >= 1);
    assert.equal((await api.request(daemon, 'GET', '/readyz')).status, 503);
    assert.equal((await api.request(daemon, 'GET', '/healthz')).status, 200);
    await redis.up();
    await assertEndedOnce(jobIds);
});

test('redis-server hangs for 10 s', async () => {
    const jobIds = await twoRunningAnd(5);
    redis.server.signal('SIGSTOP');
    const from = Date.now();
    await until('a refusal', async () => (await api.execute(daemon, 'pass')).status === 503);
    await until('10 s of silence', () => Date.now() - from > 10_000);
    redis.server.signal('SIGCONT');
    await assertEndedOnce(jobIds);
    const later = await until('admission again', async () => {
        const answer = await api.execute(daemon, "print('again')");
        return answer.status === 202 && answer;
    });
    await assertEndedOnce([later.json.jobId]);
});

test('Redis is out of memory: no admission, but what was admitted runs', async () => {
    const jobIds = await twoRunningAnd(10);
    await redis.call('CONFIG', 'SET', 'maxmemory', '1');
    const refused = await api.execute(daemon, 'pass');
    assert.equal(refused.status, 503);
    assert.equal(refused.json.error.code, 'unavailable');
    await assertEndedOnce(jobIds);
    await redis.call('CONFIG', 'SET', 'maxmemory', '0');
    assert.equal((await api.run(daemon, "print('back')")).stdout, 'back\n');
});

test('SIGTERM: running programs finish, waiting ones wait for the next daemon, exit code 0', async () => {
    const jobIds = await twoRunningAnd(3);
    daemon.signal('SIGTERM');
    await until('refusal of new runs', async () => {
        const answer = await api.execute(daemon, 'pass');
        if (answer.status === 202) jobIds.push(answer.json.jobId); // the signal had not arrived yet
        return answer.status === 503 && answer.json.error.code === 'shutting_down';
    });
    assert.equal(await daemon.exit, 0, daemon.log);
    assert.match(daemon.log, /server\.stopped clean=yes/);
    for (const jobId of jobIds.slice(0, 2))
        assert.match(await redis.call('GET', `job:${jobId}`), /"status":"completed"/);
    assert.equal(await redis.call('LLEN', 'submission_queue'), String(jobIds.length - 2));
    daemon = await startDaemon(redis);
    await assertEndedOnce(jobIds);
});

test('SIGTERM: who waits for a result gets the id of the run', async () => {
    await twoRunningAnd(0);
    const waiting = api.execute(daemon, "print('later')", { wait: true });
    await until(
        'it to be queued',
        async () => (await redis.call('LLEN', 'submission_queue')) === '1',
    );
    daemon.signal('SIGTERM');
    const answer = await waiting;
    assert.equal(answer.status, 202);
    assert.equal(await daemon.exit, 0);
    daemon = await startDaemon(redis);
    await assertEndedOnce([answer.json.jobId]);
});

test('a job that vanishes from Redis while it runs is stopped and not run again', async () => {
    const jobId = await api.submit(
        daemon,
        "import time\nwhile True:\n    print('on')\n    time.sleep(0.05)",
    );
    await api.reached(daemon, jobId, 'running');
    await redis.call('DEL', `job:${jobId}`);
    const metric = async () =>
        (await api.request(daemon, 'GET', '/metrics')).text.match(/^vve_slots_busy (\d)/m)[1];
    await until('the slot to be free', async () => (await metric()) === '0', 4000);
    const others = await submitMany(4, (i) => `print(${i})`);
    await assertEndedOnce(others);
    assert.equal(await redis.call('EXISTS', `job:${jobId}`), '0');
    assert.equal(await metric(), '0');
});

test('what others put into Redis does no harm', async () => {
    await redis.call('SADD', 'workers', 'x'.repeat(170), 'nobody');
    const poisoned = randomUUID();
    await redis.call('SET', `job:${poisoned}:run`, 'not a hash');
    await redis.call(
        'RPUSH',
        'submission_queue',
        JSON.stringify({
            jobId: poisoned,
            sourceCode: 'pass',
            language: 'python',
            submittedAt: Date.now(),
        }),
    );
    await until(
        'the names to be forgotten',
        async () => !(await redis.call('SMEMBERS', 'workers')).match(/xxx|nobody/),
    );
    await assertEndedOnce(await submitMany(4, (i) => `print(${i})`));
    assert.equal(daemon.exited, false);
});

test('a job that this worker refuses but another accepted ends as an error', async () => {
    const generous = await startDaemon(redis, {
        args: ['--role', 'gateway', '--code-bytes', '20000'],
    });
    const jobId = await api.submit(generous, `pass #${'x'.repeat(9000)}`);
    const object = await api.ended(generous, jobId);
    assert.equal(object.status, 'error');
    assert.equal(object.error.code, 'code_too_large');
    assert.equal(await generous.stop(), 0);
});

test('a job that another producer pushed runs; what cannot be read is dropped', async () => {
    const good = randomUUID();
    const old = randomUUID();
    const entry = (jobId, submittedAt) =>
        JSON.stringify({ jobId, sourceCode: "print('foreign')", language: 'python', submittedAt });
    await redis.call(
        'RPUSH',
        'submission_queue',
        'no json',
        JSON.stringify({ jobId: 'x' }),
        entry(old, Date.now() - 700_000),
        entry(good, Date.now()),
    );
    assert.equal((await api.ended(daemon, good)).stdout, 'foreign\n');
    assert.equal((await api.request(daemon, 'GET', `/api/status/${old}`)).status, 404);
    assert.equal(await redis.call('LLEN', 'submission_queue'), '0');
});

test(`never more than two containers: ${MIXED_JOBS} mixed runs over two daemons of one host`, async () => {
    await daemon.stop();
    const engine = watchEngine();
    const roomy = { args: ['--queue-max', String(MIXED_JOBS)] };
    daemon = await startDaemon(redis, roomy);
    const second = await startDaemon(redis, roomy);
    await until('the second daemon to find no slot', () =>
        /worker\.started slots=0 /.test(second.log),
    );
    const programs = [
        "print('hi')",
        'import sys; sys.exit(3)',
        "print('x' * 20000)",
        '1/0',
        'import os; os.abort()',
        'import time; time.sleep(0.2)',
    ];
    const jobIds = [];
    for (let i = 0; i < MIXED_JOBS; i++)
        jobIds.push(await api.submit(i % 2 ? daemon : second, programs[i % programs.length]));
    for (const jobId of jobIds) await api.ended(second, jobId, LONG);
    const names = slotNames(daemon, second);
    assert.equal(names.size, 2);
    const { most, started } = await engine.mostRunning(names);
    assert.ok(started >= MIXED_JOBS, `${started} containers started`);
    assert.equal(most, 2);
    assert.equal(await daemon.stop(), 0);
    await until(
        'the other daemon to take over the slots',
        async () => slotNames(second).size === 2,
    );
    assert.equal((await api.run(second, "print('taken over')")).stdout, 'taken over\n');
    assert.equal(await second.stop(), 0);
    assert.deepEqual(await containersOf(slotNames(daemon, second)), []);
});

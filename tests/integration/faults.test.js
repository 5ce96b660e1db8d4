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
    assert.equal(log.split('\n').filter((line) => line === 'end').length, 1, `ends of ${jobId}`);
  }
  await until('an empty queue', async () => (await redis.call('LLEN', 'submission_queue')) === '0');
}

async function submitMany(count, program) {
  const jobIds = [];
  for (let i = 0; i < count; i++) jobIds.push(await api.submit(daemon, program(i)));
  return jobIds;
}

// Two programs that run until they are told, and jobs that wait behind them.
async function twoRunningAnd(count) {
  const running = await submitMany(2, () => "import time\nprint('up')\ntime.sleep(1.5)\nprint('done')");
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
    const answer = await api.execute(daemon, 'pass').catch(() => ({ status: 503, json: { error: { code: 'shutting_down' } } }));
    return answer.status === 503 && answer.json.error.code === 'shutting_down';
  });
  assert.equal(await daemon.exit, 0, daemon.log);
  assert.match(daemon.log, /server\.stopped clean=yes/);
  for (const jobId of jobIds.slice(0, 2)) assert.match(await redis.call('GET', `job:${jobId}`), /"status":"completed"/);
  assert.equal(await redis.call('LLEN', 'submission_queue'), '3');
  assert.equal(await redis.call('SCARD', 'workers'), '0');
  daemon = await startDaemon(redis);
  await assertEndedOnce(jobIds);
});

test('a job that another producer pushed runs; what cannot be read is dropped', async () => {
  const good = randomUUID();
  const old = randomUUID();
  const entry = (jobId, submittedAt) => JSON.stringify({ jobId, sourceCode: "print('foreign')", language: 'python', submittedAt });
  await redis.call('RPUSH', 'submission_queue', 'no json', JSON.stringify({ jobId: 'x' }), entry(old, Date.now() - 700_000), entry(good, Date.now()));
  assert.equal((await api.ended(daemon, good)).stdout, 'foreign\n');
  assert.equal((await api.request(daemon, 'GET', `/api/status/${old}`)).status, 404);
  assert.equal(await redis.call('LLEN', 'submission_queue'), '0');
});

test(`never more than two containers: ${MIXED_JOBS} mixed runs over two daemons of one host`, async () => {
  await daemon.stop();
  const engine = watchEngine();
  daemon = await startDaemon(redis);
  const second = await startDaemon(redis);
  assert.match(second.log, /slots=0|no slot/i);
  const programs = ["print('hi')", 'import sys; sys.exit(3)', "print('x' * 20000)", '1/0', 'import os; os.abort()', "import time; time.sleep(0.2)"];
  const jobIds = [];
  for (let i = 0; i < MIXED_JOBS; i++) jobIds.push(await api.submit(i % 2 ? daemon : second, programs[i % programs.length]));
  for (const jobId of jobIds) await api.ended(second, jobId, LONG);
  const names = slotNames(daemon, second);
  assert.equal(names.size, 2);
  const { most, started } = await engine.mostRunning(names);
  assert.ok(started >= MIXED_JOBS, `${started} containers started`);
  assert.equal(most, 2);
  assert.equal(await daemon.stop(), 0);
  await until('the other daemon to take over the slots', async () => slotNames(second).size === 2);
  assert.equal((await api.run(second, "print('taken over')")).stdout, 'taken over\n');
  assert.equal(await second.stop(), 0);
  assert.deepEqual(await containersOf(slotNames(daemon, second)), []);
});

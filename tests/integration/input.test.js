// Live input: a program that waits for it is seen to wait, gets it from whoever is first, and neither
// loses time by waiting nor may wait for ever.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as api from './lib/api.js';
import { startDaemon } from './lib/daemon.js';
import { until } from './lib/process.js';
import { startRedis } from './lib/redis.js';

let redis;
let daemon;
let gateway;
before(async () => {
    redis = await startRedis();
    daemon = await startDaemon(redis, { args: ['--run-ms', '2000', '--rate-limit', '0'] });
    gateway = await startDaemon(redis, { args: ['--role', 'gateway', '--rate-limit', '0'] });
});
after(async () => {
    assert.equal(await daemon?.stop(), 0, daemon?.log);
    assert.equal(await gateway?.stop(), 0, gateway?.log);
    await redis?.stop();
});

const submit = (code, fields = {}, house = daemon) =>
    api.submit(house, { code, interactive: true, ...fields });

function give(jobId, fields, house = daemon) {
    return api.request(house, 'POST', `/api/jobs/${jobId}/stdin`, {
        body: JSON.stringify(fields),
        headers: { 'content-type': 'application/json' },
    });
}

const waits = (jobId, house = daemon) =>
    until(`${jobId} to wait`, async () => (await api.status(house, jobId)).waiting || undefined);

async function answer(jobId, fields, house = daemon) {
    await waits(jobId, house);
    const { status, text } = await give(jobId, fields, house);
    assert.equal(status, 202, text);
}

test('a dialogue: waits are told behind the prompt, and what was given with the name', async () => {
    const jobId = await submit("name = input('name? ')\nprint('hi', name)\nprint(input('age? '))");
    const seen = [];
    for await (const { event, data } of api.events(daemon, jobId)) {
        if (event === 'output') seen.push(data.text);
        if (event === 'resumed') seen.push(event);
        if (event === 'input') seen.push(data);
        if (event !== 'waiting') continue;
        seen.push(event);
        const { status, json } = await give(jobId, {
            data: seen.includes('hi Ada\nage? ') ? '36\n' : 'Ada\n',
            by: 'Kato "<b>"',
        });
        assert.equal(status, 202);
        assert.deepEqual(json, { taken: true });
    }
    const by = 'Kato "<b>"';
    assert.deepEqual(seen, [
        'name? ',
        'waiting',
        { text: 'Ada\n', by, end: false },
        'hi Ada\nage? ',
        'waiting',
        { text: '36\n', by, end: false },
        '36\n',
    ]);
    const result = await api.ended(daemon, jobId);
    assert.equal(result.status, 'completed');
    assert.equal(result.output, 'name? hi Ada\nage? 36\n');
    assert.equal(result.waiting, false);
});

test('waiting does not use up the time of the run', async () => {
    const jobId = await submit('print(input())\nprint(input())');
    const begun = Date.now();
    for (const data of ['one\n', 'two\n']) {
        await waits(jobId);
        const since = Date.now();
        await until('more time than a run has', () => Date.now() - since > 1200);
        await answer(jobId, { data });
    }
    const result = await api.ended(daemon, jobId);
    assert.equal(result.status, 'completed', JSON.stringify(result));
    assert.ok(Date.now() - begun > 2400);
    assert.ok(result.wallMs < 2000, `${result.wallMs}`);
});

test('a program that computes is timed out as ever', async () => {
    const jobId = await submit('input()\nwhile True: pass');
    await answer(jobId, { data: '\n' });
    const result = await api.ended(daemon, jobId);
    assert.equal(result.status, 'timed_out');
    assert.equal(result.error, null);
});

test('the first to send wins, whichever daemon they ask', async () => {
    for (let round = 0; round < 5; round++) {
        const jobId = await submit('print(input())', {}, gateway);
        await waits(jobId, gateway);
        const answers = await Promise.all(
            ['a', 'b', 'c', 'd'].map(async (who, i) => {
                const house = i % 2 ? gateway : daemon;
                const { status, json } = await give(jobId, { data: `${who}\n`, by: who }, house);
                return { who, status, code: json.error?.code };
            }),
        );
        const winners = answers.filter(({ status }) => status === 202);
        assert.equal(winners.length, 1, JSON.stringify(answers));
        for (const { status, code } of answers.filter((one) => one !== winners[0])) {
            assert.equal(status, 409);
            assert.equal(code, 'not_waiting');
        }
        assert.equal((await api.ended(daemon, jobId)).stdout, `${winners[0].who}\n`);
    }
});

test('input given with the run comes first, and the end of input is an end of file', async () => {
    const code = 'import sys\nprint(input())\nprint(input())\nprint(repr(sys.stdin.read()))';
    const jobId = await submit(code, { stdin: 'before\n' });
    await answer(jobId, { data: 'live\n' });
    await answer(jobId, { data: 'rest', end: true });
    assert.equal((await api.ended(daemon, jobId)).stdout, "before\nlive\n'rest'\n");
    const other = await submit('input()');
    await answer(other, { data: '', end: true });
    assert.match((await api.ended(daemon, other)).stderr, /EOFError/);
});

test('every refusal has its status and code, and the run goes on waiting', async () => {
    const jobId = await submit('print(input())');
    await waits(jobId);
    const json = { 'content-type': 'application/json' };
    const rows = [
        ['{', json, 400, 'bad_json'],
        ['{}', json, 400, 'bad_field', /data/],
        ['{"data":1}', json, 400, 'bad_field', /data/],
        ['{"data":""}', json, 400, 'bad_field', /data/],
        ['{"data":"a\\u0000"}', json, 400, 'bad_field', /data/],
        ['{"data":"\\ud800"}', json, 400, 'bad_field', /data/],
        ['{"data":"a","end":"yes"}', json, 400, 'bad_field', /end/],
        [JSON.stringify({ data: 'a', by: 'x'.repeat(65) }), json, 400, 'bad_field', /by/],
        [JSON.stringify({ data: 'x'.repeat(5121) }), json, 413, 'stdin_too_large'],
        ['{"data":"a"}', {}, 415, 'unsupported_media_type'],
        ['{"data":"a"}', { ...json, origin: 'https://evil.example' }, 403, 'origin_not_allowed'],
    ];
    for (const [body, headers, status, code, pattern = /./] of rows) {
        const refusal = await api.request(daemon, 'POST', `/api/jobs/${jobId}/stdin`, {
            body,
            headers,
        });
        assert.equal(refusal.status, status, `${body}: ${refusal.text}`);
        assert.equal(refusal.json.error.code, code);
        assert.match(refusal.json.error.message, pattern);
    }
    await answer(jobId, { data: 'still here\n' });
    assert.equal((await api.ended(daemon, jobId)).stdout, 'still here\n');
    const late = await give(jobId, { data: 'x\n' });
    assert.equal(late.status, 409);
    assert.equal(late.json.error.code, 'not_waiting');
    const unknown = await give('4f0b1f6e-7a51-4d7e-9c58-0b8f6f3f9d10', { data: 'x\n' });
    assert.equal(unknown.status, 404);
    const plain = await api.submit(daemon, { code: 'import time; time.sleep(1)' });
    await api.reached(daemon, plain, 'running');
    assert.equal((await give(plain, { data: 'x\n' })).status, 409);
    await api.ended(daemon, plain);
});

test('all input of a run together has a limit', async () => {
    const jobId = await submit('while True: print(len(input()))');
    await answer(jobId, { data: `${'x'.repeat(5000)}\n` });
    await waits(jobId);
    const refusal = await give(jobId, { data: 'y'.repeat(120) });
    assert.equal(refusal.status, 413);
    assert.equal(refusal.json.error.code, 'stdin_too_large');
    await answer(jobId, { data: 'y'.repeat(119), end: true });
    const result = await api.ended(daemon, jobId);
    assert.match(result.stdout, /^5000\n119\n$/);
});

test('a run that waits can be cancelled', async () => {
    const jobId = await submit('input()');
    await waits(jobId);
    const answered = await api.request(daemon, 'POST', `/api/jobs/${jobId}/cancel`);
    assert.equal(answered.status, 202);
    assert.equal((await api.ended(daemon, jobId)).status, 'cancelled');
});

test('input reaches a run whose subscription was cut', async () => {
    const jobId = await submit('print(input())');
    await waits(jobId);
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await answer(jobId, { data: 'through\n' });
    assert.equal((await api.ended(daemon, jobId)).stdout, 'through\n');
});

test('many waits, each with its prompt', async () => {
    const jobId = await submit("for i in range(60): print(input(f'{i}? '))");
    let waited = 0;
    for await (const { event } of api.events(daemon, jobId)) {
        if (event === 'waiting') {
            waited += 1;
            assert.equal((await give(jobId, { data: `${waited}\n` })).status, 202);
        }
    }
    assert.equal(waited, 60);
    const { stdout, status } = await api.ended(daemon, jobId);
    assert.equal(status, 'completed');
    assert.equal(stdout, Array.from({ length: 60 }, (_, i) => `${i}? ${i + 1}\n`).join(''));
});

test('a run that waits is ended when others have waited for it ten seconds', async () => {
    const holders = [await submit('input()'), await submit('input()')];
    for (const jobId of holders) await waits(jobId);
    const next = await api.submit(daemon, { code: "print('at last')" });
    assert.equal((await api.ended(daemon, next, 20_000)).stdout, 'at last\n');
    const ends = await Promise.all(
        holders.map(async (jobId) => {
            const { status, error } = await api.status(daemon, jobId);
            if (status !== 'running') return { status, code: error?.code };
            await give(jobId, { data: '\n' });
            return null;
        }),
    );
    const ended = ends.filter(Boolean);
    assert.ok(ended.length > 0);
    for (const end of ended) assert.deepEqual(end, { status: 'timed_out', code: 'input_timeout' });
    for (const jobId of holders) await api.ended(daemon, jobId);
});

test('a run may wait for so long in all', async () => {
    await daemon.stop();
    daemon = await startDaemon(redis, { args: ['--input-ms', '700', '--rate-limit', '0'] });
    const jobId = await submit("print('asks', flush=True)\ninput()\ninput()");
    await answer(jobId, { data: '\n' });
    const result = await api.ended(daemon, jobId);
    assert.equal(result.status, 'timed_out');
    assert.equal(result.error.code, 'input_timeout');
    assert.equal(result.stdout, 'asks\n');
});

test('a daemon that stops does not wait for input', async () => {
    const jobId = await submit('input()');
    await waits(jobId);
    assert.equal(await daemon.stop(), 0, daemon.log);
    const result = await api.status(gateway, jobId);
    assert.equal(result.status, 'cancelled');
    assert.equal(result.error.code, 'stopping');
});

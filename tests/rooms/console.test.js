// One console for all who are in a room: real programs in real containers, started by anybody.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import * as api from '../integration/lib/api.js';
import { until } from '../integration/lib/process.js';
import { startDaemon } from '../integration/lib/daemon.js';
import { startRedis } from '../integration/lib/redis.js';
import { freshRoom, joined, leaveAll } from './lib/clients.js';

let redis;
const daemons = [];
before(async () => {
    redis = await startRedis();
    for (const args of [[], ['--role', 'gateway']]) {
        const daemon = await startDaemon(redis, { args: [...args, '--rate-limit', '0'] });
        daemons.push({ ...daemon, daemon, url: `ws://127.0.0.1:${daemon.port}/collab` });
    }
});
afterEach(leaveAll);
after(async () => {
    for (const { daemon } of daemons) assert.equal(await daemon.stop(), 0, daemon.log);
    await redis?.stop();
});

const here = () => daemons[0].daemon;
const elsewhere = () => daemons[1].daemon;
const runs = (client) => client.told.filter(({ run }) => run);
const ended = (client, jobId) =>
    runs(client).find(({ run, jobId: id }) => run === 'end' && id === jobId);

async function start(daemon, body) {
    const answer = await api.execute(daemon, body);
    assert.equal(answer.status, 202, answer.text);
    return answer.json.jobId;
}

// What the frames of a run came to; the offsets must fit together.
function transcript(client, jobId) {
    let text = '';
    for (const frame of runs(client).filter((frame) => frame.jobId === jobId)) {
        if (frame.run === 'start') text = '';
        if (frame.run !== 'output') continue;
        assert.equal(frame.offset, Buffer.byteLength(text), JSON.stringify(frame));
        text += frame.text;
    }
    return text;
}

test('a run is seen by all, on two daemons, live, with who ran it', async () => {
    const room = freshRoom();
    const [ada, bob] = [await joined(daemons[0], room), await joined(daemons[1], room)];
    const code = "import time\nprint('one', flush=True)\ntime.sleep(0.5)\nprint('zwei €')";
    const jobId = await start(elsewhere(), { code, roomId: room, by: 'Ada "<b>"' });
    for (const client of [ada, bob]) {
        await until('the first line', () => transcript(client, jobId) === 'one\n');
        assert.equal(ended(client, jobId), undefined);
    }
    for (const client of [ada, bob]) {
        await until('the end', () => ended(client, jobId));
        assert.equal(transcript(client, jobId), 'one\nzwei €\n');
        const [first] = runs(client);
        assert.equal(first.run, 'start');
        assert.equal(first.by, 'Ada "<b>"');
        assert.match(first.codeHash, /^[0-9a-f]{16}$/);
        assert.ok(Math.abs(first.at - Date.now()) < 60_000);
        const { status } = ended(client, jobId);
        assert.equal(status.status, 'completed');
        assert.equal(status.exitCode, 0);
        assert.equal(status.stdout, undefined);
    }
});

test('who comes later gets the runs so far, also from a daemon that did not hold the room', async () => {
    const room = freshRoom();
    const first = await joined(daemons[0], room);
    const ids = [];
    for (const text of ['a', 'b']) {
        const jobId = await start(here(), { code: `print('${text}')`, roomId: room });
        await until('the end', () => ended(first, jobId));
        ids.push(jobId);
    }
    for (const house of daemons) {
        const late = await joined(house, room);
        const history = await until('the history', () =>
            late.told.find(({ run }) => run === 'history'),
        );
        assert.deepEqual(
            history.runs.map(({ jobId, by, output, status }) => ({
                jobId,
                by,
                text: output.map(({ text }) => text).join(''),
                status: status.status,
            })),
            ids.map((jobId, i) => ({ jobId, by: null, text: `${'ab'[i]}\n`, status: 'completed' })),
        );
    }
});

test('a run that is going on is in the history, and goes on', async () => {
    const room = freshRoom();
    const code = "import time\nprint('on', flush=True)\ntime.sleep(1)\nprint('off')";
    const jobId = await start(here(), { code, roomId: room, by: 'Bob' });
    const late = await joined(daemons[1], room);
    await until('the end', () => ended(late, jobId));
    const history = late.told.find(({ run }) => run === 'history');
    const before = history?.runs.find((run) => run.jobId === jobId)?.output ?? [];
    const after = runs(late).filter(({ run, jobId: id }) => run === 'output' && id === jobId);
    const all = [...before, ...after];
    const pieces = [...new Map(all.map((piece) => [piece.offset, piece.text])).values()];
    assert.equal(pieces.join(''), 'on\noff\n');
});

test('a run that waits for input says so to all, and shows who gave it, output with NUL too', async () => {
    const room = freshRoom();
    const ada = await joined(daemons[0], room);
    const code = "print('\\0', flush=True)\nprint(input('? '))";
    const jobId = await start(here(), { code, roomId: room, interactive: true });
    const waits = (client, wanted) =>
        until(`waiting: ${wanted}`, () => {
            const last = runs(client).findLast(({ run }) => run === 'waiting' || run === 'history');
            const said = last?.run === 'history' ? last.runs.at(-1).waiting : last?.waiting;
            return (said ?? false) === wanted;
        });
    await waits(ada, true);
    const late = await joined(daemons[1], room);
    await waits(late, true);
    const given = await api.request(elsewhere(), 'POST', `/api/jobs/${jobId}/stdin`, {
        body: JSON.stringify({ data: 'x\n', by: 'Grace' }),
        headers: { 'content-type': 'application/json' },
    });
    assert.equal(given.status, 202, given.text);
    for (const client of [ada, late]) {
        await until('the end', () => ended(client, jobId));
        const input = runs(client).find(({ stream }) => stream === 'stdin');
        assert.equal(input.by, 'Grace');
        assert.equal(input.text, 'x\n');
        assert.equal(input.offset, 4);
        await waits(client, false);
    }
    const last = await joined(daemons[0], room);
    const history = await until('the history', () =>
        last.told.find(({ run }) => run === 'history'),
    );
    const [record] = history.runs;
    assert.deepEqual(record.output.map(({ stream, text }) => [stream, text]).at(-2), [
        'stdin',
        'x\n',
    ]);
    assert.equal(
        record.output
            .filter(({ stream }) => stream === 'stdout')
            .map(({ text }) => text)
            .join(''),
        '\0\n? x\n',
    );
    assert.equal(record.waiting, undefined);
    assert.equal(record.status.status, 'completed');
});

test('the last 20 runs are kept, and 64 KB of output at most', async () => {
    const room = freshRoom();
    const client = await joined(daemons[0], room);
    let last;
    for (let i = 0; i < 23; i++) {
        last = await start(here(), { code: `print('${i} ' + 'x' * 5000)`, roomId: room });
    }
    await until('the last end', () => ended(client, last), 60_000);
    const late = await joined(daemons[0], room);
    const { runs: kept } = await until('the history', () =>
        late.told.find(({ run }) => run === 'history'),
    );
    assert.ok(kept.length <= 20 && kept.length >= 10, `${kept.length} runs`);
    assert.equal(kept.at(-1).jobId, last);
    const bytes = kept
        .flatMap(({ output }) => output)
        .reduce((sum, { text }) => sum + text.length, 0);
    assert.ok(bytes <= 65_536, `${bytes} bytes`);
    assert.equal(Number(await redis.call('LLEN', `collab:runs:${room}`)), 20);
});

test('a run of another room, or of none, is not seen', async () => {
    const [room, other] = [freshRoom(), freshRoom()];
    const client = await joined(daemons[0], room);
    await start(here(), { code: 'print(1)', roomId: other });
    await start(here(), { code: 'print(2)' });
    const jobId = await start(here(), { code: 'print(3)', roomId: room });
    await until('the end', () => ended(client, jobId));
    assert.deepEqual([...new Set(runs(client).map((frame) => frame.jobId))], [jobId]);
});

test('a cancelled run ends as cancelled for all', async () => {
    const room = freshRoom();
    const client = await joined(daemons[1], room);
    const jobId = await start(here(), { code: 'while True: pass', roomId: room });
    await until('the start', () => runs(client).some(({ run }) => run === 'start'));
    const answer = await api.request(elsewhere(), 'POST', `/api/jobs/${jobId}/cancel`);
    assert.equal(answer.status, 202);
    const { status } = await until('the end', () => ended(client, jobId));
    assert.equal(status.status, 'cancelled');
});

test('the last 20 runs can be read with their code, from any daemon', async () => {
    const room = freshRoom();
    const read = async (daemon) =>
        (await api.request(daemon, 'GET', `/api/rooms/${room}/runs`)).json;
    assert.deepEqual(await read(here()), { runs: [] });
    const client = await joined(daemons[0], room);
    const ids = [];
    for (let i = 0; i < 22; i++) {
        const code = `print("${i} €")  # "jobId":"x"`;
        ids.push(
            await start(i % 2 === 0 ? here() : elsewhere(), { code, roomId: room, by: `p${i}` }),
        );
        await until('the end', () => ended(client, ids[i])); // so that all agree on the order
    }
    const done = async () => {
        const { runs: all } = await read(elsewhere());
        return all.every(({ status }) => status !== null) && all;
    };
    const all = await until('the results to be stored', done);
    assert.deepEqual(
        all.map(({ jobId, code, by, output, status }) => [
            jobId,
            code,
            by,
            output.map(({ text }) => text).join(''),
            status.status,
        ]),
        ids
            .map((id, i) => [
                id,
                `print("${i} €")  # "jobId":"x"`,
                `p${i}`,
                `${i} €\n`,
                'completed',
            ])
            .slice(2),
    );
    assert.equal(Number(await redis.call('HLEN', `collab:code:${room}`)), 20);
    assert.ok(Number(await redis.call('TTL', `collab:code:${room}`)) > 1000);
});

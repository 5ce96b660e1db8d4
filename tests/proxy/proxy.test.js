// One daemon, with the options that the configurations ask for, behind nginx and behind Caddy: the
// same must hold of both.
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect } from 'node:tls';
import { after, afterEach, before, describe, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import * as api from '../integration/lib/api.js';
import { startDaemon } from '../integration/lib/daemon.js';
import { until } from '../integration/lib/process.js';
import { startRedis } from '../integration/lib/redis.js';
import { freshRoom, joined, leaveAll } from '../rooms/lib/clients.js';
import { HEAD_MS, HOST, KINDS, startProxy } from './lib/proxies.js';

const RUNS_A_MINUTE = 3;
const CONNECTIONS = 6;
const BODY_BYTES = 65_536;
const ASKING = { code: "print('first', flush=True)\nprint(input())", interactive: true };

let redis;
let daemon;
before(async () => {
    redis = await startRedis();
    daemon = await startDaemon(redis, {
        args: [
            ['--trusted-proxy', '127.0.0.1'],
            ['--rate-limit', RUNS_A_MINUTE],
            ['--connections-per-client', CONNECTIONS],
        ].flat(),
    });
});
after(async () => {
    assert.equal(await daemon?.stop(), 0, daemon?.log);
    await redis?.stop();
});

const post = (to, body, options = {}) =>
    api.request(to, 'POST', '/api/execute', {
        from: api.freshAddress(),
        ...options,
        body,
        headers: { 'content-type': 'application/json', ...options.headers },
    });

const answer = (to, jobId, data) =>
    api.request(to, 'POST', `/api/jobs/${jobId}/stdin`, {
        body: JSON.stringify({ data }),
        headers: { 'content-type': 'application/json' },
        from: api.freshAddress(),
    });

const textOf = (client) => client.doc.getText('t').toString();

// A request without TLS.
function plain(proxy, path) {
    return new Promise((resolve, reject) => {
        const to = { host: '127.0.0.1', port: proxy.httpPort, path, agent: false };
        http.get({ ...to, headers: { host: HOST } }, (response) => {
            const { statusCode, headers } = response;
            let body = '';
            response.setEncoding('utf8').on('data', (chunk) => (body += chunk));
            response.on('end', () => resolve({ statusCode, headers, body }));
        }).on('error', reject);
    });
}

// A connection that begins a request and does not go on; resolves with how long it was let.
function dawdle(proxy) {
    return new Promise((resolve, reject) => {
        const began = Date.now();
        const socket = connect({ ...proxy.secure, port: proxy.port }, () => {
            socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-Slow:`);
        });
        socket.on('error', reject);
        socket.on('close', () => resolve(Date.now() - began));
        socket.resume();
    });
}

for (const kind of Object.keys(KINDS)) {
    describe(kind, () => {
        let proxy;
        let dawdled;
        before(async () => {
            proxy = await startProxy(kind, daemon);
            dawdled = dawdle(proxy);
        });
        afterEach(leaveAll);
        after(() => proxy?.stop());

        test('it has nothing to say against its configuration', async () => {
            const { code, log } = await proxy.check();
            assert.equal(code, 0, log);
            const lines = log.split('\n').filter((line) => !/^$|"level":"info"/.test(line));
            assert.deepEqual(lines, kind === 'caddy' ? ['Valid configuration'] : []);
        });

        test('http is sent to https', async () => {
            const { statusCode, headers } = await plain(proxy, '/r/room?a=b');
            assert.equal(statusCode, 308);
            assert.equal(headers.location, `https://${HOST}/r/room?a=b`);
        });

        // Caddy does all of it by itself.
        if (kind === 'nginx')
            test('what makes a certificate authority believe us is served', async () => {
                const path = '/.well-known/acme-challenge/token';
                mkdirSync(dirname(join(proxy.folder, path)), { recursive: true });
                writeFileSync(join(proxy.folder, path), 'proof');
                const { statusCode, body } = await plain(proxy, path);
                assert.deepEqual([statusCode, body], [200, 'proof']);
            });

        test('the page is what the daemon serves, and for https alone', async () => {
            const unpack = { br: brotliDecompressSync, gzip: gunzipSync, identity: (all) => all };
            const page = (await api.request(daemon, 'GET', '/')).text;
            const [, script] = page.match(/src="(\/assets\/[^"]+\.js)"/);
            for (const path of ['/', script]) {
                const plain = (await api.request(daemon, 'GET', path)).bytes;
                for (const coding of ['br', 'gzip', 'identity', undefined]) {
                    const headers = coding && { 'accept-encoding': coding };
                    const direct = await api.request(daemon, 'GET', path, { headers });
                    const through = await api.request(proxy, 'GET', path, { headers });
                    assert.equal(through.status, 200);
                    assert.ok(unpack[coding ?? 'identity'](through.bytes).equals(plain));
                    for (const name of ['content-encoding', 'content-length', 'etag', 'vary'])
                        assert.equal(through.headers[name], direct.headers[name], name);
                    const policy = 'content-security-policy';
                    assert.equal(through.headers[policy], direct.headers[policy]);
                    assert.equal(through.headers['strict-transport-security'], 'max-age=31536000');
                    const unchanged = await api.request(proxy, 'GET', path, {
                        headers: { ...headers, 'if-none-match': direct.headers.etag },
                    });
                    assert.equal(unchanged.status, 304);
                }
            }
        });

        test('the daemon knows that its own page asks', async () => {
            const from = { origin: `https://${HOST}:${proxy.port}` };
            const answered = await post(proxy, '{"code":"print(6 * 7)"}', { headers: from });
            assert.equal(answered.status, 202, answered.text);
            assert.equal((await api.ended(daemon, answered.json.jobId)).stdout, '42\n');
            const foreign = { origin: 'https://evil.example' };
            const refused = await post(proxy, '{"code":""}', { headers: foreign });
            assert.equal(refused.status, 403);
        });

        // The program does not go on before somebody who has heard its question has answered it.
        test('events come as they happen', async () => {
            const jobId = await api.submit(proxy, ASKING);
            const seen = [];
            for await (const { event, data } of api.events(proxy, jobId)) {
                if (event !== seen.at(-1)) seen.push(event); // output comes in any number of pieces
                if (event === 'waiting')
                    assert.equal((await answer(proxy, jobId, 'second\n')).status, 202);
                if (event === 'end') assert.equal(data.stdout, 'first\nsecond\n');
            }
            assert.deepEqual(seen.slice(-5), ['output', 'waiting', 'input', 'output', 'end']);
        });

        test('events come as they happen over HTTP/2 too', async () => {
            const jobId = await api.submit(proxy, ASKING);
            const session = http2.connect(`https://${HOST}:${proxy.port}`, proxy.secure);
            const stream = session.request({
                ':path': `/api/jobs/${jobId}/events`,
                'accept-encoding': 'gzip, br', // as of every browser
            });
            let text = '';
            stream.setEncoding('utf8').on('data', (chunk) => (text += chunk));
            stream.on('error', (error) => (text += error));
            await until('the question', () => /^event: waiting$/m.test(text));
            await answer(proxy, jobId, 'second\n');
            await until('the end', () => stream.destroyed);
            assert.match(text, /^event: end$/m);
            session.destroy();
        });

        test('two people see what each other types', async () => {
            const room = freshRoom();
            const [ada, bob] = [await joined(proxy, room), await joined(proxy, room)];
            ada.doc.getText('t').insert(0, 'one');
            await until('"one"', () => textOf(bob) === 'one');
            bob.doc.getText('t').insert(3, ' two');
            await until('"one two"', () => textOf(ada) === 'one two');
        });

        test('a client is its address, whatever it says of itself', async () => {
            const from = api.freshAddress();
            const lies = ['198.51.100.1', '198.51.100.2, 127.0.0.1', '127.0.0.1', 'nonsense'];
            const statuses = [];
            for (const lie of lies) {
                const headers = { 'x-forwarded-for': lie, forwarded: `for=${lie}` };
                statuses.push((await post(proxy, '{"code":""}', { from, headers })).status);
            }
            assert.deepEqual(statuses, [...Array(RUNS_A_MINUTE).fill(202), 429]);
            assert.equal((await post(proxy, '{"code":""}')).status, 202);
            const metrics = await api.request(proxy, 'GET', '/metrics');
            assert.equal(metrics.json.error.code, 'loopback_only');
        });

        test('a client has so many connections and no more', async () => {
            const room = freshRoom();
            const addressed = (localAddress) => ({
                ...proxy,
                secure: { ...proxy.secure, localAddress },
            });
            const crowd = addressed(api.freshAddress());
            for (let i = 0; i < CONNECTIONS; i++) await joined(crowd, room);
            const from = crowd.secure.localAddress;
            const refused = await api.request(proxy, 'GET', '/healthz', { from });
            assert.equal(refused.status, 503);
            assert.equal(refused.json.error.code, 'too_many_connections');
            await joined(addressed(api.freshAddress()), room);
        });

        test('a body may be as large as for the daemon', async () => {
            const most = JSON.stringify({ code: '', padding: '' }).length;
            const body = (bytes) => JSON.stringify({ code: '', padding: 'x'.repeat(bytes - most) });
            const taken = await post(proxy, body(BODY_BYTES));
            assert.notEqual(taken.json.error?.code, 'body_too_large', taken.text);
            const direct = await post(daemon, body(BODY_BYTES + 1));
            // Of what nobody wants Caddy reads 256 KB, and resets the connection if there is more.
            const large = { caddy: 200_000, nginx: 5_000_000 }[kind];
            for (const bytes of [BODY_BYTES + 1, large]) {
                const refused = await post(proxy, body(bytes));
                assert.equal(refused.status, 413);
                assert.equal(refused.headers['content-type'], direct.headers['content-type']);
                assert.deepEqual(refused.json, direct.json);
            }
        });

        test('whoever does not go on is sent away', async () => {
            const ms = await dawdled;
            assert.ok(ms > HEAD_MS - 500 && ms < 5 * HEAD_MS, `after ${ms} ms`);
        });

        test('its restart loses nothing', async () => {
            const room = freshRoom();
            const [ada, bob] = [await joined(proxy, room), await joined(proxy, room)];
            const jobId = await api.submit(proxy, ASKING);
            let last;
            const watching = (async () => {
                for await (const event of api.events(proxy, jobId)) last = event;
            })();
            await until('the question', () => last?.event === 'waiting');
            await Promise.all([proxy.down(), watching.catch(() => {})]);
            ada.doc.getText('t').insert(0, 'meanwhile');
            bob.doc.getText('t').insert(0, 'and ');
            await proxy.up();
            await until('a merge', () =>
                [ada, bob].every((client) => textOf(client).length === 'meanwhileand '.length),
            );
            assert.equal(textOf(ada), textOf(bob));
            await answer(proxy, jobId, 'late\n');
            const rest = [];
            for await (const { event } of api.events(proxy, jobId, { after: last.id }))
                rest.push(event);
            assert.equal(rest.at(-1), 'end');
            assert.equal((await api.status(proxy, jobId)).stdout, 'first\nlate\n');
        });
    });
}

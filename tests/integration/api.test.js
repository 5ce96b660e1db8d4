// The contract of the REST API: answers, refusals exact at the boundary, and the documents that
// describe them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import * as api from './lib/api.js';
import { ROOT, startDaemon } from './lib/daemon.js';
import { startRedis } from './lib/redis.js';

const UNKNOWN = '4f0b1f6e-7a51-4d7e-9c58-0b8f6f3f9d10';
let redis;
let daemon;
before(async () => {
    redis = await startRedis();
    daemon = await startDaemon(redis);
});
after(async () => {
    assert.equal(await daemon?.stop(), 0, daemon?.log);
    await redis?.stop();
});

function post(body, headers = { 'content-type': 'application/json' }) {
    return api.request(daemon, 'POST', '/api/execute', { body, headers, from: api.freshAddress() });
}

async function jobsInRedis() {
    return Number(await redis.call('DBSIZE'));
}

test('a run is accepted with its id, its place and its rate', async () => {
    const answer = await api.execute(daemon, "print('hello')");
    assert.equal(answer.status, 202);
    assert.deepEqual(Object.keys(answer.json), ['jobId']);
    assert.match(
        answer.json.jobId,
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.equal(answer.headers.location, `/api/status/${answer.json.jobId}`);
    assert.equal(answer.headers['ratelimit-limit'], '10');
    assert.equal(answer.headers['ratelimit-remaining'], '9');
    assert.equal((await api.ended(daemon, answer.json.jobId)).stdout, 'hello\n');
});

test('wait=true answers with the result', async () => {
    const object = await api.run(daemon, "print('now')");
    assert.equal(object.status, 'completed');
    assert.equal(object.output, 'now\n');
});

test('every refusal has its status and code, and changes nothing', async (t) => {
    const json = { 'content-type': 'application/json' };
    const rows = [
        ['not JSON', '{', json, 400, 'bad_json'],
        ['half a character in an escape', '{"\\é":1}', json, 400, 'bad_json'],
        ['no object', '[]', json, 400, 'bad_json'],
        ['no code', '{}', json, 400, 'bad_field', /code/],
        ['wrong type', '{"code":1}', json, 400, 'bad_field', /code/],
        ['NUL in code', '{"code":"a\\u0000"}', json, 400, 'bad_field', /code/],
        ['lone surrogate', '{"code":"\\ud83d"}', json, 400, 'bad_field', /code/],
        ['bad stdin', '{"code":"","stdin":[]}', json, 400, 'bad_field', /stdin/],
        ['bad room', '{"code":"","roomId":"a b"}', json, 400, 'bad_field', /roomId/],
        ['bad interactive', '{"code":"","interactive":1}', json, 400, 'bad_field', /interactive/],
        ['other language', '{"code":"","language":"c"}', json, 400, 'unknown_language'],
        [
            '5,121 bytes of code',
            JSON.stringify({ code: '#'.repeat(5121) }),
            json,
            413,
            'code_too_large',
        ],
        [
            '5,122 bytes in two-byte characters',
            JSON.stringify({ code: 'é'.repeat(2561) }),
            json,
            413,
            'code_too_large',
        ],
        [
            '5,121 bytes of stdin',
            JSON.stringify({ code: '', stdin: 'x'.repeat(5121) }),
            json,
            413,
            'stdin_too_large',
        ],
        [
            'a body over 64 KB',
            JSON.stringify({ code: 'x'.repeat(70000) }),
            json,
            413,
            'body_too_large',
        ],
        ['no media type', '{"code":""}', {}, 415, 'unsupported_media_type'],
        [
            'a form',
            'code=1',
            { 'content-type': 'application/x-www-form-urlencoded' },
            415,
            'unsupported_media_type',
        ],
        [
            'a foreign page',
            '{"code":""}',
            { ...json, origin: 'https://evil.example' },
            403,
            'origin_not_allowed',
        ],
    ];
    const before_ = await jobsInRedis();
    for (const [name, body, headers, status, code, mentions] of rows) {
        await t.test(name, async () => {
            const answer = await post(body, headers);
            assert.equal(answer.status, status, answer.text);
            assert.equal(answer.json.error.code, code);
            assert.ok(answer.json.error.message.length > 10);
            if (mentions) assert.match(answer.json.error.message, mentions);
            // The edge refuses these two before it knows the client.
            const atEdge = ['body_too_large', 'origin_not_allowed'].includes(code);
            assert.equal('ratelimit-remaining' in answer.headers, !atEdge);
        });
    }
    assert.equal(await jobsInRedis(), before_);
});

test('5,120 bytes of code pass', async () => {
    const comment = '#'.repeat(5120 - "print('x')\n".length);
    assert.equal((await api.run(daemon, `print('x')\n${comment}`)).stdout, 'x\n');
});

test('the eleventh run of a minute is refused, for that client alone', async () => {
    const from = api.freshAddress();
    for (let i = 1; i <= 10; i++) {
        const answer = await api.execute(daemon, 'pass', { from });
        assert.equal(answer.status, 202);
        assert.equal(answer.headers['ratelimit-remaining'], String(10 - i));
        await api.ended(daemon, answer.json.jobId);
    }
    const refused = await api.execute(daemon, 'pass', { from });
    assert.equal(refused.status, 429);
    assert.equal(refused.json.error.code, 'rate_limited');
    const seconds = Number(refused.headers['retry-after']);
    assert.ok(seconds >= 1 && seconds <= 60, `Retry-After ${seconds}`);
    assert.equal(refused.json.error.retryAfter, seconds);
    assert.equal(refused.headers['ratelimit-remaining'], '0');
    assert.equal((await api.execute(daemon, 'pass')).status, 202);
});

test('paths and methods', async (t) => {
    const rows = [
        ['GET', `/api/status/${UNKNOWN}`, 404, 'not_found'],
        ['GET', '/api/status/7', 404, 'not_found'],
        ['GET', `/api/jobs/${UNKNOWN}/events`, 404, 'not_found'],
        ['POST', `/api/jobs/${UNKNOWN}/cancel`, 404, 'not_found'],
        ['GET', '/api/nothing', 404, 'not_found'],
        ['GET', '/api/status/', 404, 'not_found'],
        ['GET', '/api/execute', 405, 'method_not_allowed', 'POST'],
        ['DELETE', '/api/limits', 405, 'method_not_allowed', 'GET, HEAD'],
        ['POST', '/healthz', 405, 'method_not_allowed', 'GET, HEAD'],
        ['PUT', `/api/jobs/${UNKNOWN}/cancel`, 405, 'method_not_allowed', 'POST'],
    ];
    for (const [method, path, status, code, allow] of rows) {
        await t.test(`${method} ${path}`, async () => {
            const answer = await api.request(daemon, method, path);
            assert.equal(answer.status, status);
            assert.equal(answer.json.error.code, code);
            assert.equal(answer.headers.allow, allow);
        });
    }
});

test('HEAD answers where GET does, without a body', async () => {
    for (const path of ['/healthz', '/api/limits', '/']) {
        const get = await api.request(daemon, 'GET', path);
        const head = await api.request(daemon, 'HEAD', path);
        assert.equal(head.status, 200);
        assert.equal(head.text, '');
        assert.equal(head.headers['content-length'], get.headers['content-length']);
    }
});

test('the limits are those of the design', async () => {
    const { json } = await api.request(daemon, 'GET', '/api/limits');
    const expected = {
        codeBytes: 5120,
        outputBytes: 10240,
        runMs: 5000,
        memoryBytes: 134217728,
        cpus: 0.5,
        runsPerMinute: 10,
        concurrentRuns: 2,
        queueMax: 100,
        resultSeconds: 600,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(json[name], value, name);
});

test('a finished run replays whole, resumes behind an event, and then is over', async () => {
    const jobId = await api.submit(daemon, "import sys\nprint('a')\nprint('b', file=sys.stderr)");
    const object = await api.ended(daemon, jobId);
    const all = [];
    for await (const event of api.events(daemon, jobId)) all.push(event);
    assert.equal(all[0].event, 'status');
    assert.equal(all.at(-1).event, 'end');
    assert.deepEqual(all.at(-1).data, object);
    const text = (stream) =>
        all
            .filter((e) => e.event === 'output' && e.data.stream === stream)
            .map((e) => e.data.text)
            .join('');
    assert.equal(text('stdout'), 'a\n');
    assert.equal(text('stderr'), 'b\n');
    const resumed = [];
    for await (const event of api.events(daemon, jobId, { after: all[0].id }))
        resumed.push(event.id);
    assert.deepEqual(
        resumed,
        all.slice(1).map((e) => e.id),
    );
    const over = await api.request(daemon, 'GET', `/api/jobs/${jobId}/events`, {
        headers: { 'last-event-id': all.at(-1).id },
    });
    assert.equal(over.status, 204);
    const wrong = await api.request(daemon, 'GET', `/api/jobs/${jobId}/events`, {
        headers: { 'last-event-id': 'x' },
    });
    assert.equal(wrong.status, 400);
    for (const id of [
        '99999999999999999999-0',
        '18446744073709551615-18446744073709551615',
        '1-',
        '-1',
    ]) {
        const answer = await api.request(daemon, 'GET', `/api/jobs/${jobId}/events`, {
            headers: { 'last-event-id': id },
        });
        assert.equal(answer.status, 400, id);
    }
});

test('a busy daemon is a ready one', async () => {
    let done = false;
    const load = Promise.all(
        [0, 1].map(async () => {
            for (let i = 0; i < 8; i++) await api.run(daemon, 'print(1)');
        }),
    ).then(() => {
        done = true;
    });
    while (!done) assert.equal((await api.request(daemon, 'GET', '/readyz')).status, 200);
    await load;
});

test('output arrives while the program runs', async () => {
    const jobId = await api.submit(
        daemon,
        "print('first')\nimport sys\nsys.stdin.read()\nwhile True: pass",
    );
    let seen = false;
    for await (const event of api.events(daemon, jobId)) {
        if (event.event === 'output' && !seen) {
            seen = true;
            assert.match(event.data.text, /^first/);
            const running = await api.status(daemon, jobId);
            assert.equal(running.status, 'running');
            assert.match(running.stdout, /^first/);
            const answer = await api.request(daemon, 'POST', `/api/jobs/${jobId}/cancel`);
            assert.equal(answer.status, 202);
        }
        if (event.event === 'end') assert.equal(event.data.status, 'cancelled');
    }
    assert.ok(seen);
    const again = await api.request(daemon, 'POST', `/api/jobs/${jobId}/cancel`);
    assert.equal(again.status, 409);
    assert.equal(again.json.error.code, 'already_finished');
});

test('queue: places count down, a full queue refuses, a queued run can be cancelled', async () => {
    const small = await startDaemon(redis, { args: ['--queue-max', '3', '--role', 'gateway'] });
    const blockers = [];
    for (let i = 0; i < 2; i++) blockers.push(await api.submit(daemon, 'while True: pass'));
    for (const jobId of blockers) await api.reached(daemon, jobId, 'running');
    const waiting = [];
    for (let i = 0; i < 3; i++) waiting.push(await api.submit(small, 'print(1)'));
    assert.deepEqual(
        (await Promise.all(waiting.map((id) => api.status(small, id)))).map((s) => s.position),
        [1, 2, 3],
    );
    const full = await api.execute(small, 'print(1)');
    assert.equal(full.status, 503);
    assert.equal(full.json.error.code, 'queue_full');
    assert.ok(Number(full.headers['retry-after']) >= 1);
    const positions = [];
    const watching = (async () => {
        for await (const event of api.events(small, waiting[2])) {
            if (event.data.position) positions.push(event.data.position);
            if (event.event === 'end') return event.data.status;
        }
        return 'no end';
    })();
    assert.equal((await api.request(small, 'POST', `/api/jobs/${waiting[0]}/cancel`)).status, 202);
    assert.equal((await api.ended(small, waiting[0])).status, 'cancelled');
    assert.equal((await api.status(small, waiting[2])).position, 2);
    for (const jobId of blockers) await api.request(daemon, 'POST', `/api/jobs/${jobId}/cancel`);
    assert.equal(await watching, 'completed');
    assert.ok(
        positions.length >= 1 && positions.every((p, i) => i === 0 || p < positions[i - 1]),
        String(positions),
    );
    assert.equal(await small.stop(), 0);
});

test('metrics are for this machine; a proxy that is trusted speaks for others', async () => {
    const answer = await api.request(daemon, 'GET', '/metrics');
    assert.equal(answer.status, 200);
    assert.match(answer.text, /^vve_redis_up 1$/m);
    assert.match(answer.text, /^vve_slots 2$/m);
    const behind = await startDaemon(redis, {
        args: ['--role', 'gateway', '--trusted-proxy', '127.0.0.1', '--rate-limit', '1'],
    });
    const forwarded = { 'x-forwarded-for': '203.0.113.7' };
    assert.equal(
        (await api.request(behind, 'GET', '/metrics', { headers: forwarded })).status,
        403,
    );
    const first = await api.execute(behind, 'pass', { from: '127.0.0.1', headers: forwarded });
    const second = await api.execute(behind, 'pass', { from: '127.0.0.1', headers: forwarded });
    const other = await api.execute(behind, 'pass', {
        from: '127.0.0.1',
        headers: { 'x-forwarded-for': '203.0.113.8' },
    });
    assert.deepEqual([first.status, second.status, other.status], [202, 429, 202]);
    const untrusted = await api.execute(behind, 'pass', { from: '127.0.0.2', headers: forwarded });
    assert.equal(untrusted.status, 202);
    assert.equal(await behind.stop(), 0);
});

test('pages of an allowed origin may call, with the headers that browsers ask for', async () => {
    const open = await startDaemon(redis, {
        args: ['--role', 'gateway', '--allow-origin', 'https://vve.example'],
    });
    const origin = 'https://vve.example';
    const preflight = await api.request(open, 'OPTIONS', '/api/execute', {
        headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'content-type',
        },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-origin'], origin);
    assert.match(preflight.headers.vary, /origin/i);
    const answer = await api.execute(open, 'pass', { headers: { origin } });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers['access-control-allow-origin'], origin);
    const stranger = await api.request(open, 'OPTIONS', '/api/execute', {
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    assert.equal(stranger.headers['access-control-allow-origin'], undefined);
    assert.equal(await open.stop(), 0);
});

test('the OpenAPI document, the routes table and the answers agree', async () => {
    const { json: document } = await api.request(daemon, 'GET', '/api/openapi.json');
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map(
            (method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/, ':$1')}`,
        ),
    );
    const source = readFileSync(join(ROOT, 'src/api/routes.c'), 'utf8');
    const table = [...source.matchAll(/\{"(GET|POST)", "([^"]+)", \w+\}/g)].map(
        (m) => `${m[1]} ${m[2]}`,
    );
    assert.ok(table.length >= 9);
    assert.deepEqual(documented.sort(), table.sort());
    const object = await api.run(daemon, 'pass');
    const { Status, Limits } = document.components.schemas;
    assert.deepEqual(Object.keys(object).sort(), [...Status.required].sort());
    assert.deepEqual(Object.keys(object).sort(), Object.keys(Status.properties).sort());
    const { json: limits } = await api.request(daemon, 'GET', '/api/limits');
    assert.deepEqual(Object.keys(limits).sort(), [...Limits.required].sort());
    const statuses = document.paths['/api/execute'].post.responses;
    for (const status of [200, 202, 400, 403, 413, 415, 429, 503])
        assert.ok(statuses[status], String(status));
});

test('the page: encodings, caching, fallback and security headers', async () => {
    const index = await api.request(daemon, 'GET', '/');
    assert.equal(index.status, 200);
    assert.match(index.headers['content-type'], /^text\/html/);
    assert.equal(index.headers['cache-control'], 'no-cache');
    assert.match(index.headers['content-security-policy'], /default-src 'none'; script-src 'self'/);
    assert.equal(index.headers['x-content-type-options'], 'nosniff');
    assert.equal(index.headers['referrer-policy'], 'no-referrer');
    const room = await api.request(daemon, 'GET', '/r/some-room');
    assert.equal(room.text, index.text);
    const cached = await api.request(daemon, 'GET', '/', {
        headers: { 'if-none-match': index.headers.etag },
    });
    assert.equal(cached.status, 304);
    const [asset] = index.text.match(/\/assets\/[^"']+\.js/);
    const plain = await api.request(daemon, 'GET', asset);
    assert.match(plain.headers['cache-control'], /immutable/);
    assert.equal(plain.headers['content-encoding'], undefined);
    for (const [accepted, coding, unpack] of [
        ['gzip, br', 'br', brotliDecompressSync],
        ['gzip', 'gzip', gunzipSync],
    ]) {
        const packed = await api.request(daemon, 'GET', asset, {
            headers: { 'accept-encoding': accepted },
        });
        assert.equal(packed.status, 200);
        assert.equal(packed.headers['content-encoding'], coding);
        assert.ok(packed.bytes.length < plain.bytes.length);
        assert.deepEqual(unpack(packed.bytes), plain.bytes);
    }
    for (const path of [
        '/assets/../index.html',
        '/assets/nothing.js',
        '/etc/passwd',
        '/%2e%2e/etc/passwd',
    ]) {
        assert.ok([400, 404].includes((await api.request(daemon, 'GET', path)).status), path);
    }
});

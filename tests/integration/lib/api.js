// The REST API as its users call it. Requests may come from any loopback address, since each of
// them is a client of its own for the rate limit. Every answer must be one that is documented.
// What is called `daemon` here may be a proxy before it: `secure` then says how to connect.
import http from 'node:http';
import https from 'node:https';
import { assertDocumented } from './contract.js';
import { until } from './process.js';

let next = 1;
export function freshAddress() {
    next += 1;
    return `127.9.${next >> 8}.${next & 255}`;
}

function open(daemon, options, onResponse) {
    const { request } = daemon.secure ? https : http;
    const to = { host: '127.0.0.1', ...daemon.secure, port: daemon.port, agent: false };
    return request({ ...to, ...options }, onResponse);
}

function send(daemon, method, path, { body, headers = {}, from = '127.0.0.1' }) {
    return new Promise((resolve, reject) => {
        const req = open(
            daemon,
            {
                method,
                path,
                localAddress: from,
                headers: {
                    ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
                    ...headers,
                },
            },
            (res) => {
                const chunks = [];
                res.on('data', (chunk) => chunks.push(chunk));
                res.on('error', reject);
                res.on('end', () => {
                    const bytes = Buffer.concat(chunks);
                    const text = bytes.toString();
                    let json;
                    try {
                        json = JSON.parse(text);
                    } catch {
                        json = undefined;
                    }
                    resolve({ status: res.statusCode, headers: res.headers, text, bytes, json });
                });
            },
        );
        req.on('error', reject);
        req.end(body);
    });
}

// One request; resolves with { status, headers, text, bytes, json }.
export async function request(daemon, method, path, options = {}) {
    const answer = await send(daemon, method, path, options);
    assertDocumented(method, path, answer);
    return answer;
}

export function execute(
    daemon,
    fields,
    { wait = false, from = freshAddress(), headers = {} } = {},
) {
    const body =
        typeof fields === 'string' ? JSON.stringify({ code: fields }) : JSON.stringify(fields);
    return request(daemon, 'POST', `/api/execute${wait ? '?wait=true' : ''}`, {
        body,
        from,
        headers: { 'content-type': 'application/json', ...headers },
    });
}

// Runs a program to its end and gives its status object.
export async function run(daemon, fields) {
    const answer = await execute(daemon, fields, { wait: true });
    if (answer.status !== 200) throw new Error(`execute answered ${answer.status}: ${answer.text}`);
    return answer.json;
}

export async function submit(daemon, fields) {
    const answer = await execute(daemon, fields);
    if (answer.status !== 202) throw new Error(`execute answered ${answer.status}: ${answer.text}`);
    return answer.json.jobId;
}

export async function status(daemon, jobId) {
    return (await request(daemon, 'GET', `/api/status/${jobId}`)).json;
}

const FINAL = ['completed', 'failed', 'timed_out', 'out_of_memory', 'cancelled', 'error'];

export function ended(daemon, jobId, deadlineMs) {
    return until(
        `the end of ${jobId}`,
        async () => {
            const object = await status(daemon, jobId).catch(() => undefined);
            return FINAL.includes(object?.status) ? object : undefined;
        },
        deadlineMs,
    );
}

export function reached(daemon, jobId, wanted) {
    return until(
        `${jobId} to be ${wanted}`,
        async () => (await status(daemon, jobId)).status === wanted,
    );
}

// The event stream of a run as an async iterator of { id, event, data, at }; ends with the stream.
export async function* events(daemon, jobId, { after, from = freshAddress() } = {}) {
    const headers = after ? { 'last-event-id': after } : {};
    const response = await new Promise((resolve, reject) => {
        const path = `/api/jobs/${jobId}/events`;
        open(daemon, { path, localAddress: from, headers }, resolve).on('error', reject).end();
    });
    if (response.statusCode !== 200) {
        response.resume();
        throw new Error(`events answered ${response.statusCode}`);
    }
    let text = '';
    response.setEncoding('utf8');
    for await (const chunk of response) {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
            const event = { at: Date.now() };
            for (const line of text.slice(0, end).split('\n')) {
                const colon = line.indexOf(':');
                if (colon > 0) event[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
            }
            text = text.slice(end + 2);
            if (event.event) yield { ...event, data: JSON.parse(event.data) };
        }
    }
}

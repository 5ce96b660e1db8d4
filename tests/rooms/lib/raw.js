// Sockets that say exactly the bytes that they are told to, and take apart whatever comes back: for
// what no WebSocket library would send.
import { connect } from 'node:net';
import { DEADLINE_MS } from '../../integration/lib/process.js';
import * as frames from './frames.js';

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;
export const NO_CODE = 1005; // a close frame that has none

const MASK = Buffer.from('9a3c51e7', 'hex');

// The length of a frame in 7, 16 or 64 bits.
const FORMS = {
    7: (length) => Buffer.of(length),
    16: (length) => Buffer.of(126, length >> 8, length & 255),
    64(length) {
        const bytes = Buffer.alloc(9, 127);
        bytes.writeBigUInt64BE(BigInt(length), 1);
        return bytes;
    },
};

function shortest(length) {
    if (length < 126) return 7;
    return length < 65_536 ? 16 : 64;
}

// One frame of a client. `length` is what it claims to bring, `form` how that is written.
export function frame(payload = [], options = {}) {
    const body = Buffer.from(payload);
    const { opcode = BINARY, fin = true, reserved = 0, mask = MASK } = options;
    const { length = body.length, form = shortest(length) } = options;
    const start = Buffer.of((fin ? 128 : 0) | (reserved << 4) | opcode);
    const size = FORMS[form](length);
    if (mask === null) return Buffer.concat([start, size, body]);
    size[0] |= 128;
    for (let i = 0; i < body.length; i++) body[i] ^= mask[i % 4];
    return Buffer.concat([start, size, mask, body]);
}

export const closing = (code, reason = '') =>
    frame(Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason)]), {
        opcode: CLOSE,
    });

// The fields of a good opening request; one that is undefined is left out, one that is a list comes
// so many times.
export function opening(host, path, { method = 'GET', version = 'HTTP/1.1', fields = {} } = {}) {
    const all = {
        Host: host,
        Origin: `http://${host}`,
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...fields,
    };
    const lines = Object.entries(all)
        .filter(([, value]) => value !== undefined)
        .flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`));
    return `${method} ${path} ${version}\r\n${lines.join('')}\r\n`;
}

// One frame of the server as { opcode, payload, size }, or null while it is not whole.
function readFrame(bytes) {
    if (bytes.length < 2) return null;
    const [start, short] = bytes;
    if (short & 128) throw new Error('the server has masked a frame');
    if ((start & 0xf0) !== 128) throw new Error(`the server has begun a frame with ${start}`);
    const head = { 126: 4, 127: 10 }[short] ?? 2;
    if (bytes.length < head) return null;
    const length = { 4: () => bytes.readUInt16BE(2), 10: () => Number(bytes.readBigUInt64BE(2)) };
    const size = head + (length[head]?.() ?? short);
    if (bytes.length < size) return null;
    return { opcode: start & 15, payload: bytes.subarray(head, size), size };
}

function readClose(payload) {
    if (payload.length === 0) return NO_CODE;
    if (payload.length > 125) throw new Error('the server has sent a long close frame');
    new TextDecoder('utf-8', { fatal: true }).decode(payload.subarray(2));
    return payload.readUInt16BE(0);
}

// { status, messages, pongs, closed (the code), ended, failure }, all as they come; `messages` are
// parsed.
export function dial(house) {
    const to = { port: house.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true };
    const socket = connect(to);
    const waiting = new Set();
    let rest = Buffer.alloc(0);
    const peer = {
        status: null,
        messages: [],
        pongs: [],
        closed: null,
        ended: false,
        failure: null,
        // Resolves when the bytes have been handed to the kernel, or cannot be any more.
        write: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
        end: () => socket.end(),
        reset: () => socket.resetAndDestroy(),
        leave: () => socket.destroy(),
        // The value of `probe`, asked whenever something has happened, or null after the deadline.
        wait(probe, deadlineMs = DEADLINE_MS) {
            return new Promise((resolve, reject) => {
                const settle = (finish, value) => {
                    clearTimeout(timer);
                    waiting.delete(look);
                    finish(value);
                };
                const look = () => {
                    if (peer.failure !== null) settle(reject, peer.failure);
                    else if (probe()) settle(resolve, probe());
                };
                const timer = setTimeout(() => settle(resolve, null), deadlineMs);
                waiting.add(look);
                look();
            });
        },
    };
    const take = {
        [BINARY]: (payload) => peer.messages.push(frames.parse(payload)),
        [PING]: () => {},
        [PONG]: (payload) => peer.pongs.push(payload.toString('latin1')),
        [CLOSE]: (payload) => (peer.closed = readClose(payload)),
    };
    function takeHead() {
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) return;
        const line = rest.toString('latin1', 0, rest.indexOf('\r\n'));
        const status = line.match(/^HTTP\/1\.1 (\d{3}) /);
        if (status === null) throw new Error(`an answer that begins with ${line}`);
        if (status[1] === '100') throw new Error('the server wants more of a request');
        rest = rest.subarray(end + 4);
        peer.status = Number(status[1]);
    }
    function takeFrames() {
        for (let next = readFrame(rest); next !== null; next = readFrame(rest)) {
            if (peer.closed !== null) throw new Error('a frame behind the close frame');
            rest = rest.subarray(next.size);
            if (take[next.opcode] === undefined) throw new Error(`opcode ${next.opcode}`);
            take[next.opcode](next.payload);
        }
    }
    const happened = () => [...waiting].forEach((look) => look());
    socket.on('data', (chunk) => {
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        try {
            if (peer.status === null) takeHead();
            if (peer.status === 101) takeFrames();
        } catch (error) {
            peer.failure ??= error;
        }
        happened();
    });
    socket.on('error', () => {}); // it is closed then
    for (const end of ['end', 'close'])
        socket.on(end, () => {
            peer.ended = true;
            happened();
        });
    return peer;
}

// A connection that the server has let in.
export async function enter(house, room) {
    const peer = dial(house);
    peer.write(opening(`127.0.0.1:${house.port}`, `/collab/${room}`));
    await peer.wait(() => peer.status !== null || peer.ended);
    if (peer.status !== 101) throw new Error(`not let in: ${peer.status}`);
    return peer;
}

let fences = 0;

// Everything that the server had to say before it read this has come when this resolves; false if
// it did not resolve.
export async function fenced(peer) {
    const mark = `fence ${(fences += 1)}`;
    peer.write(frame(Buffer.from(mark), { opcode: PING }));
    const seen = () => peer.pongs.includes(mark) || peer.closed !== null || peer.ended;
    return (await peer.wait(seen)) !== null && peer.pongs.includes(mark);
}

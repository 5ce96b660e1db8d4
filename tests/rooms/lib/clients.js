// Those who come to a room: unmodified providers, bare sockets that say only what they are told to,
// and requests that are no upgrades. Whoever was let in is sent away by `leaveAll`.
import { connect } from 'node:net';
import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { until } from '../../integration/lib/process.js';
import * as frames from './frames.js';

// Every browser says where its page is from. `house.secure` says how to connect to a proxy.
function browserSocket({ secure }) {
    return class extends WebSocket {
        constructor(url, protocols) {
            super(url, protocols, { ...secure, origin: new URL(url).origin.replace('ws', 'http') });
        }
    };
}

process.setMaxListeners(0); // each provider wants to hear of the end

let rooms = 0;
export function freshRoom() {
    rooms += 1;
    return `room-${rooms}-${Math.random().toString(36).slice(2, 10)}`;
}

const present = new Set();

export function leaveAll() {
    for (const client of present) client.leave();
}

// { doc, provider, told, leave }; `told` collects what frames of type 100 said.
export function join(house, room, { doc = new Y.Doc(), quiet = false, connect = true } = {}) {
    const provider = new WebsocketProvider(house.url, room, doc, {
        WebSocketPolyfill: browserSocket(house),
        disableBc: true,
        connect: false,
    });
    if (quiet) provider.awareness.setLocalState(null);
    const client = {
        doc,
        provider,
        told: [],
        // Drops the connection without a word, as a lost network does.
        cut: () => provider.ws?.terminate(),
        leave() {
            present.delete(client);
            provider.destroy();
            provider.ws?.terminate();
            provider.awareness.destroy();
            doc.destroy();
        },
    };
    provider.messageHandlers[frames.ROOM] = (_encoder, decoder) => {
        client.told.push(frames.parse(decoder.arr).told);
    };
    present.add(client);
    if (connect) provider.connect();
    return client;
}

export function synced(client, deadlineMs) {
    return until('a first sync', () => client.provider.synced, deadlineMs);
}

// A provider that is in the room, with what its document held at the very moment of `sync`.
export async function joined(house, room, options) {
    const client = join(house, room, options);
    client.provider.once('sync', () => {
        client.atSync = client.doc.getText('t').toString();
    });
    await synced(client);
    return client;
}

// A bare socket: `seen` are the parsed frames in order, `bytes` the frames themselves.
export function openSocket(house, room, { headers = {}, origin } = {}) {
    const ws = new WebSocket(`${house.url}/${room}`, {
        ...house.secure,
        headers,
        origin: origin ?? house.url.replace(/^ws(.*)\/collab$/, 'http$1'),
        handshakeTimeout: 20_000,
    });
    ws.binaryType = 'nodebuffer';
    const socket = {
        ws,
        seen: [],
        bytes: [],
        closed: null, // the code
        failure: null,
        send: (...messages) => messages.forEach((message) => ws.send(message)),
        leave() {
            present.delete(socket);
            ws.terminate();
        },
        // Without what is about the room's runs and saving, which may come at any time.
        get wire() {
            return socket.seen.filter(({ type }) => type !== frames.ROOM);
        },
        async next(what, test, from = 0) {
            return until(what, () => {
                if (socket.failure !== null) throw socket.failure;
                return socket.seen.slice(from).find(test);
            });
        },
    };
    ws.on('message', (data, isBinary) => {
        try {
            if (!isBinary) throw new Error(`a text frame: ${data}`);
            socket.bytes.push(data);
            socket.seen.push(frames.parse(data));
        } catch (error) {
            socket.failure ??= error;
        }
    });
    ws.on('error', (error) => {
        socket.failure ??= error;
    });
    ws.on('close', (code) => {
        socket.closed = code;
    });
    present.add(socket);
    return socket;
}

export async function openedSocket(house, room, options) {
    const socket = openSocket(house, room, options);
    await until('the upgrade', () => {
        if (socket.failure !== null) throw socket.failure;
        return socket.ws.readyState === WebSocket.OPEN;
    });
    return socket;
}

// Everything that the server had to say before it answered this has arrived when this resolves.
export async function fence(socket) {
    const from = socket.seen.length;
    socket.send(frames.step1());
    return socket.next('a step 2', frames.isStep2, from);
}

const UPGRADE = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

// One request as written here; a header that is undefined is left out. Resolves with { status,
// headers, body } when the answer is complete, or its head if it is a 101.
export function knock(house, path, { method = 'GET', headers = {} } = {}) {
    const host = `127.0.0.1:${house.port}`;
    const fields = { Host: host, Origin: `http://${host}`, ...UPGRADE, ...headers };
    const lines = Object.entries(fields)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}: ${value}\r\n`);
    return new Promise((resolve, reject) => {
        let text = '';
        const socket = connect(house.port, '127.0.0.1', () => {
            socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
        });
        const answer = () => {
            const [head, body] = text.split('\r\n\r\n');
            const [first, ...rest] = head.split('\r\n');
            const named = rest.map((line) => [
                line.slice(0, line.indexOf(':')).toLowerCase(),
                line.slice(line.indexOf(':') + 1).trim(),
            ]);
            const given = Object.fromEntries(named);
            const complete =
                body !== undefined &&
                (/^HTTP\/1\.1 101 /.test(first) ||
                    Buffer.byteLength(body, 'latin1') >= Number(given['content-length'] ?? NaN));
            return { complete, status: Number(first.split(' ')[1]), headers: given, body };
        };
        socket.setEncoding('latin1');
        socket.setTimeout(20_000, () => socket.destroy(new Error('no answer in 20 s')));
        socket.on('error', reject);
        socket.on('data', (chunk) => {
            text += chunk;
            if (answer().complete) {
                resolve(answer());
                socket.destroy();
            }
        });
        socket.on('close', () => resolve(answer()));
    });
}

// What hostile clients send, a row each, and what becomes of it:
//
//     a status       the request is refused with it, and the connection ended
//     a close code   the connection is closed with it
//     OPEN           nothing happens, and the connection goes on to work; `answers` tells how many
//                    SyncStep2 the row itself is worth
//     ENDED          the connection ends without a word
//
// A row has a `request`, or `bytes` (or `pieces`, a packet each) that follow a good one; `then` ends
// the connection from the client's side. Of no row anything is applied or relayed. Malformed messages of
// Yjs are closed with 1002, messages that are too long with 1009, what is no binary message with 1003.
// What passes a limit of the document is not taken in, and the connection stays: a client that were
// closed for it would come back with the same at once.
import * as Y from 'yjs';
import * as frames from './lib/frames.js';
import {
    CLOSE,
    CONTINUATION,
    NO_CODE,
    PING,
    PONG,
    TEXT,
    closing,
    frame,
    opening,
} from './lib/raw.js';
import { MAX, REF, bytes, hex, hole, item, sized, text, update } from './lib/updates.js';

export const OPEN = 'stays open';
export const ENDED = 'ended';

// --- the room that they come to ------------------------------------------------------------------

export const SCENE = 1; // the client who wrote what is there
export const SCENE_CLOCK = 10;
export const ADA = 1001; // who are there
export const BOB = 1002;
export const PRESENCE_CLOCK = 5; // from which on their awareness is
export const ROOM_BYTES = 900_000; // a document may have

// A text 'abefgh' with a hole of two clocks in it, and a map with a number and a map.
export function scene() {
    const doc = new Y.Doc();
    doc.clientID = SCENE;
    doc.getText('t').insert(0, 'abcdefgh');
    doc.getText('t').delete(2, 2);
    doc.getMap('m').set('k', 1);
    doc.getMap('m').set('n', new Y.Map());
    return Y.encodeStateAsUpdate(doc);
}

const EVIL = 6666; // a client who gets nothing in

// --- what rows are made of -----------------------------------------------------------------------

export const table = [];

function rows(what, expect, make, list) {
    for (const [name, content] of Object.entries(list))
        table.push({ name: `${what}: ${name}`, expect, ...make(content) });
}

const range = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const repeat = (count, part) => Buffer.concat(Array(count).fill(Buffer.from(part)));

// A request as text or bytes, or made of the host and the room that it goes to.
const request = (content) => ({ request: content });
const ask = (options, path = '/collab/hostile') => request((host) => opening(host, path, options));
const fields = (changed) => ask({ fields: changed });
const path = (target) => ask({}, target);
const sent = (content) => ({ bytes: content });
const broken = (content) => ({ bytes: content, then: 'end' });
const message = (content) => ({ bytes: frame(content) });
const updating = (content) => message(frames.update(Uint8Array.from(content)));
const answering = (content) => message(frames.step2(Uint8Array.from(content)));
const asking = (content) => message(frames.step1(Uint8Array.from(content)));
const aware = (content) => message(join([frames.AWARENESS], sized(content)));

// --- requests ------------------------------------------------------------------------------------

rows('upgrade', 400, path, {
    'a dot in the room': '/collab/a.b',
    'dots for a room': '/collab/..',
    'an escaped room': '/collab/a%62',
    'an escaped slash in the room': '/collab/a%2fb',
    'an escaped NUL in the room': '/collab/a%00',
    'a room of 65 characters': `/collab/${'x'.repeat(65)}`,
    'a room of 2,000 characters': `/collab/${'x'.repeat(2000)}`,
    'a colon in the room': '/collab/a:b',
    'a fragment behind the room': '/collab/room#more',
    'a path in UTF-8': '/collab/r\u00f6\u00f6m',
    'a path with a scheme': 'http://127.0.0.1/collab/room',
    'a star for a path': '*',
    'a path without a slash': 'collab/room',
    'no path': '',
    'a tab in the path': '/collab/a\tb',
});
rows('upgrade', 404, path, {
    'no room': '/collab',
    'an empty room': '/collab/',
    'something below a room': '/collab/room/more',
    'a slash behind the room': '/collab/room/',
    'two slashes in front': '//collab/room',
    'up and down again': '/collab/../collab/room',
    'capitals in the path': '/COLLAB/room',
    'another path': '/elsewhere/room',
});
rows('upgrade', 414, path, {
    'a path of 3,000 bytes': `/collab/room?token=${'x'.repeat(3000)}`,
    'a path of 15,000 bytes': `/collab/${'x'.repeat(15_000)}`,
});
rows('upgrade', 403, fields, {
    'a foreign origin': { Origin: 'http://evil.example' },
    'the origin null': { Origin: 'null' },
    'the host with another port': { Origin: 'http://127.0.0.1:1' },
    'an origin that is no URL': { Origin: 'evil' },
    'an origin of another scheme': { Origin: 'file://127.0.0.1' },
});
rows(
    'upgrade',
    403,
    (origin) => request((host) => opening(host, '/collab/hostile', origin(host))),
    {
        'an origin that begins like ours': (host) => ({
            fields: { Origin: `http://${host}.evil.example` },
        }),
        'an origin with ours for a user': (host) => ({
            fields: { Origin: `http://${host}@evil.example` },
        }),
        'an origin with a path': (host) => ({ fields: { Origin: `http://${host}/page` } }),
    },
);
rows('upgrade', 426, fields, {
    'version 8': { 'Sec-WebSocket-Version': '8' },
    'version 14': { 'Sec-WebSocket-Version': '14' },
    'version 013': { 'Sec-WebSocket-Version': '013' },
    'version +13': { 'Sec-WebSocket-Version': '+13' },
    'version 0x0d': { 'Sec-WebSocket-Version': '0x0d' },
    'versions 13, 8': { 'Sec-WebSocket-Version': '13, 8' },
    'an empty version': { 'Sec-WebSocket-Version': '' },
    'no version': { 'Sec-WebSocket-Version': undefined },
    'no upgrade': { Upgrade: undefined },
    'an upgrade to h2c': { Upgrade: 'h2c' },
    'an upgrade to websockets': { Upgrade: 'websockets' },
});
rows('upgrade', 400, fields, {
    'no key': { 'Sec-WebSocket-Key': undefined },
    'an empty key': { 'Sec-WebSocket-Key': '' },
    'a key of 8 bytes': { 'Sec-WebSocket-Key': 'AAAAAAAAAAA=' },
    'a key of 15 bytes': { 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAA' },
    'a key of 17 bytes': { 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAAA=' },
    'a key of 18 bytes': { 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAAAA' },
    'a key that is not base64': { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j*Q==' },
    'a key of 5,000 bytes': { 'Sec-WebSocket-Key': 'A'.repeat(5000) },
    'two keys': { 'Sec-WebSocket-Key': ['dGhlIHNhbXBsZSBub25jZQ==', 'AAAAAAAAAAAAAAAAAAAAAA=='] },
    'two versions': { 'Sec-WebSocket-Version': ['13', '13'] },
    'two origins': { Origin: ['http://evil.example', 'http://127.0.0.1'] },
    'no connection': { Connection: undefined },
    'a connection to be kept alive': { Connection: 'keep-alive' },
    'a connection for upgrade-insecure': { Connection: 'upgrade-insecure' },
    'no host': { Host: undefined },
    'two hosts': { Host: ['127.0.0.1', 'evil.example'] },
    'a host with a path': { Host: '127.0.0.1/evil' },
    'a header that is folded': { 'X-Folded': 'one\r\n two' },
    'a header with a NUL': { 'X-Nul': 'a\0b' },
    'a header with a bare line feed': { 'X-Line': 'a\nEvil: b' },
    'a header with a bare carriage return': { 'X-Return': 'a\rb' },
    'a header with an escape': { 'X-Escape': 'a\x1b[2Jb' },
    'a header with a space in its name': { 'X Space': 'a' },
    'a space in front of a colon': { 'X-Space ': 'a' },
    'a header without a name': { '': 'a' },
    'a body of 5 bytes': { 'Content-Length': '5\r\nX-Last: 1\r\n\r\nhello' },
    'a length that is no number': { 'Content-Length': '0x0' },
    'a length below nothing': { 'Content-Length': '-1' },
    'a length of 30 digits': { 'Content-Length': '9'.repeat(30) },
    'two lengths': { 'Content-Length': ['0', '5'] },
    'a length and chunks': { 'Content-Length': '0', 'Transfer-Encoding': 'chunked' },
});
rows('upgrade', 411, fields, { chunks: { 'Transfer-Encoding': 'chunked' } });
rows('upgrade', 501, fields, { 'another transfer coding': { 'Transfer-Encoding': 'gzip' } });
rows('upgrade', 413, fields, { 'a body of 1 TB': { 'Content-Length': String(2 ** 40) } });
rows('upgrade', 417, fields, { 'another expectation': { Expect: '200-maybe' } });
rows('upgrade', 431, fields, {
    'a header of 20,000 bytes': { 'X-Long': 'x'.repeat(20_000) },
    '200 headers': { 'X-Many': range(200, String) },
});
rows('upgrade', 400, ask, {
    'HTTP/1.0': { version: 'HTTP/1.0' },
    'HTTP/one': { version: 'HTTP/one' },
    'no version of HTTP': { version: '' },
    'a method that is no word': { method: 'G(E)T' },
    HEAD: { method: 'HEAD' }, // RFC 6455 4.1: the method of the request must be GET
});
rows('upgrade', 405, ask, {
    POST: { method: 'POST', fields: { 'Content-Length': '0' } },
    PUT: { method: 'PUT', fields: { 'Content-Length': '0' } },
    OPTIONS: { method: 'OPTIONS' },
    'get in small letters': { method: 'get' },
});
rows('upgrade', 501, ask, { 'a method of 40 letters': { method: 'G'.repeat(40) } });
rows('upgrade', 505, ask, {
    'HTTP/2.0': { version: 'HTTP/2.0' },
    'HTTP/1.2': { version: 'HTTP/1.2' },
});
rows('no request', 400, request, {
    'two empty lines': '\r\n\r\n',
    'the greeting of SSH': 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
    'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'the hello of TLS': hex('16 03 01 02 00 01 00 01 fc 03 03'),
    'a frame before the upgrade': join(frame(frames.step1()), Buffer.from('\r\n\r\n')),
    'lines that end with line feeds': 'GET /collab/hostile HTTP/1.1\nHost: 127.0.0.1\n\n',
});
rows('no request', ENDED, (content) => ({ request: content, then: 'end' }), {
    nothing: '',
    'half a line': 'GET /collab/ho',
    'half a head': (host) => opening(host, '/collab/hostile').slice(0, -2),
});
rows('no request', ENDED, (content) => ({ request: content, then: 'reset' }), {
    'half a head, then a reset': (host) => opening(host, '/collab/hostile').slice(0, -30),
});
table.push({
    name: 'no request: half a head, then silence',
    expect: 408,
    slow: true,
    request: (host) => opening(host, '/collab/hostile').slice(0, -2),
});

// --- frames --------------------------------------------------------------------------------------

const STEP1 = frames.step1();
const evilUpdate = frames.update(update([[EVIL, 0, [text('evil')]]]));
const NO_MASK = { mask: null };
const part = (content, fin = false) => frame(content, { opcode: CONTINUATION, fin });
const first = (content) => frame(content, { fin: false });

rows('frame', 1002, sent, {
    'a message without a mask': frame(evilUpdate, NO_MASK),
    'an empty message without a mask': frame([], NO_MASK),
    'a ping without a mask': frame([], { ...NO_MASK, opcode: PING }),
    'a close without a mask': frame([3, 232], { ...NO_MASK, opcode: CLOSE }),
    'a text without a mask': frame(Buffer.from('evil'), { ...NO_MASK, opcode: TEXT }),
    'a second part without a mask': join(first(STEP1), frame([], { ...NO_MASK, opcode: 0 })),
    'reserved bit 1, as for compression': frame(evilUpdate, { reserved: 4 }),
    'reserved bit 2': frame(evilUpdate, { reserved: 2 }),
    'reserved bit 3': frame(evilUpdate, { reserved: 1 }),
    'all reserved bits': frame(evilUpdate, { reserved: 7 }),
    'a reserved bit of a ping': frame([], { opcode: PING, reserved: 4 }),
    'a reserved bit of a close': frame([3, 232], { opcode: CLOSE, reserved: 1 }),
    'a reserved bit of a text': frame([97], { opcode: TEXT, reserved: 4 }),
    'a reserved bit of a second part': join(
        first(evilUpdate),
        frame([], { opcode: CONTINUATION, reserved: 4 }),
    ),
    'a part of nothing': part(evilUpdate),
    'a last part of nothing': part(evilUpdate, true),
    'a last part after a whole message': join(frame(STEP1), part([], true)),
    'a message within a message': join(first(evilUpdate.slice(0, 4)), frame(evilUpdate)),
    'a text within a message': join(first(STEP1), frame([97], { opcode: TEXT })),
    'a ping in parts': frame([], { opcode: PING, fin: false }),
    'a pong in parts': frame([], { opcode: PONG, fin: false }),
    'a close in parts': frame([3, 232], { opcode: CLOSE, fin: false }),
    'a ping of 126 bytes': frame(Buffer.alloc(126), { opcode: PING }),
    'a ping that claims 1 TB': frame([], { opcode: PING, length: 2 ** 40 }),
    'a pong of 126 bytes': frame(Buffer.alloc(126), { opcode: PONG }),
    'a pong with its length in 16 bits': frame([], { opcode: PONG, form: 16 }),
    'a close of 126 bytes': closing(1000, 'x'.repeat(124)),
    'a ping of 126 bytes within a message': join(
        first(STEP1),
        frame(Buffer.alloc(126), { opcode: PING }),
    ),
    'a length of 0 in 16 bits': frame([], { form: 16 }),
    'a length of 125 in 16 bits': frame(Buffer.alloc(125), { form: 16 }),
    'a length of 8 in 64 bits': frame(Buffer.alloc(8), { form: 64 }),
    'a length of 126 in 64 bits': frame(Buffer.alloc(126), { form: 64 }),
    'a length of 65,535 in 64 bits': frame(Buffer.alloc(65_535), { form: 64 }),
    'a length of 2^63': frame([], { length: 2n ** 63n, form: 64 }),
    'a length of 2^64 - 1': frame([], { length: 2n ** 64n - 1n, form: 64 }),
    'a good update behind a bad frame': join(frame([], { reserved: 4 }), frame(evilUpdate)),
    'malformed in three parts': join(first([0]), part([2, 5]), part([0], true)),
});
rows(
    'frame',
    1002,
    (opcode) => sent(frame(evilUpdate, { opcode })),
    Object.fromEntries([3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((code) => [`opcode ${code}`, code])),
);
rows('frame', 1003, (content) => sent(frame(content, { opcode: TEXT })), {
    'a text': Buffer.from('hello'),
    'an empty text': [],
    'an update as a text': evilUpdate,
    'a text that is not UTF-8': [0xed, 0xa0, 0x80],
});
rows('frame', 1003, sent, {
    'a text in parts': join(frame([97], { opcode: TEXT, fin: false }), part([98], true)),
    'a text that claims 1 TB': frame([], { opcode: TEXT, length: 2 ** 40 }),
});
rows('frame', 1009, sent, {
    'a message of 1 MB and a byte': frame(Buffer.alloc((1 << 20) + 1)),
    'a message that claims 1 MB and a byte': frame([], { length: (1 << 20) + 1 }),
    'a message that claims 4 GB': frame([], { length: 2 ** 32 }),
    'a message that claims 1 TB': frame([0, 2], { length: 2 ** 40 }),
    'a message that claims 2^63 - 1': frame([], { length: 2n ** 63n - 1n, form: 64 }),
    'a byte behind a first part of 1 MB': join(first(Buffer.alloc(1 << 20)), part([0])),
    'parts of 64 KB without an end': join(
        first([0, 2]),
        repeat(17, part(Buffer.alloc(65_536, 128))),
    ),
    'a claim of 600 KB behind 600 KB': join(
        first(Buffer.alloc(600_000)),
        frame([], { opcode: CONTINUATION, length: 600_000 }),
    ),
});
rows('close', 1002, sent, {
    'one byte': frame([3], { opcode: CLOSE }),
    ...Object.fromEntries(
        [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code) => [
            `code ${code}`,
            closing(code),
        ]),
    ),
});
rows('close', 1007, sent, {
    'a reason that is not UTF-8': closing(1000, [0xff]),
    'a reason cut within a character': closing(1000, [0xe2, 0x82]),
    'a reason with half a surrogate pair': closing(1000, [0xed, 0xa0, 0x80]),
    'a reason with an overlong slash': closing(1000, [0xc0, 0xaf]),
    'a reason beyond U+10FFFF': closing(1000, [0xf4, 0x90, 0x80, 0x80]),
});
// What we are told is said back.
rows('close', 1000, sent, {
    'an update behind it': join(closing(1000), frame(evilUpdate)),
    'bad frames behind it': join(closing(1000, 'bye'), repeat(100, frame([], { reserved: 7 }))),
    'another behind it': join(closing(1000), closing(3000)),
    'in the middle of a message': join(first(evilUpdate), closing(1000), part([], true)),
});
rows('close', 4999, sent, { 'a code of applications': closing(4999, 'x'.repeat(123)) });
rows('close', NO_CODE, sent, {
    'no code, an update behind it': join(frame([], { opcode: CLOSE }), frame(evilUpdate)),
});
rows('frame', ENDED, broken, {
    'the end at once': [],
    'half of a head, then the end': frame(evilUpdate).subarray(0, 1),
    'a head, then the end': frame(evilUpdate).subarray(0, 6),
    'an update but for a byte, then the end': frame(evilUpdate).subarray(0, -1),
    'an update but for its last part, then the end': join(first(evilUpdate), part([])),
});
rows('frame', ENDED, (content) => ({ bytes: content, then: 'reset' }), {
    'a reset at once': [],
    'half of an update, then a reset': frame(evilUpdate).subarray(0, 9),
    '300 questions, then a reset': repeat(300, frame(STEP1)),
});
rows('frame', OPEN, sent, {
    '1,000 pongs that nobody asked for': repeat(1000, frame([1, 2], { opcode: PONG })),
    '5,000 pings': repeat(5000, frame(Buffer.alloc(125), { opcode: PING })),
    'awareness of nobody 1,000 times': repeat(1000, frame([1, 1, 0])),
});
table.push(
    {
        name: 'frame: a question in 10,000 empty parts and one',
        expect: OPEN,
        answers: 1,
        bytes: join(first([]), repeat(10_000, part([])), part(STEP1, true)),
    },
    {
        name: 'frame: a question byte by byte, with a ping between its parts',
        expect: OPEN,
        answers: 1,
        pieces: [
            ...join(
                first(STEP1.slice(0, 2)),
                frame([1], { opcode: PING }),
                part(STEP1.slice(2), true),
            ),
        ].map((byte) => Buffer.of(byte)),
    },
    {
        name: 'frame: a mask of zeros',
        expect: OPEN,
        answers: 1,
        bytes: frame(STEP1, { mask: Buffer.alloc(4) }),
    },
);

// Those who do not wait for the answer to their request.
const early = (content, options) =>
    request((host, room) => join(opening(host, `/collab/${room}`, options), content));
rows('with the request', 1002, (content) => early(content), {
    'a message without a mask': frame(evilUpdate, NO_MASK),
    'a malformed update': frame(evilUpdate.slice(0, -2)),
    'another request': opening('127.0.0.1', '/collab/hostile'),
});
const deflate = { fields: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } };
rows('with the request', 1002, (content) => early(content, deflate), {
    'a compressed message that nobody agreed to': frame(evilUpdate, { reserved: 4 }),
});

// --- messages: the envelope ----------------------------------------------------------------------

const unfinished = repeat(3, [0x80]);
const BEYOND = hex('8080808080808010'); // 2^53
const LONG = hex('8080808080808080808080'); // an integer of 11 bytes and more

rows('message', 1002, message, {
    empty: [],
    'a type without an end': unfinished,
    'a type of 2^53': BEYOND, // yjs-wire.md 1: varuints end at 2^53 - 1
    'a type of 11 bytes': join(LONG, [1]),
    'sync without a kind': [0],
    'a kind of sync without an end': join([0], unfinished),
    'a kind of sync of 2^53': join([0], BEYOND, [0]),
    'step 1 without a body': [0, 0],
    'step 2 without a body': [0, 1],
    'an update without a body': [0, 2],
    'a kind of sync that is none': [0, 3, 1, 0],
    another: [0, 127, 0],
    'and a large one': join([0], hex('ffffffffffffff0f'), [0]),
    'step 1 with a body that is cut off': [0, 0, 2, 0],
    'step 2 with a body that is cut off': [0, 1, 4, 0, 0],
    'an update with a body that is cut off': evilUpdate.slice(0, -1),
    'a length without an end': join([0, 2], unfinished),
    'a length of 2^32': join([0, 2], hex('8080808010'), [0, 0]),
    'a length of 2^53 - 1': join([0, 2], hex('ffffffffffffff0f'), [0, 0]),
    'a length of 2^53': join([0, 2], BEYOND, [0, 0]),
    'a length of 11 bytes': join([0, 2], LONG, [2, 0, 0]),
});
rows('message', OPEN, message, {
    'a denial': [2, 0, 2, 0x6e, 0x6f],
    'a denial without a body': [2],
    'a permission': [2, 1],
    'type 4': [4],
    'type 5 and an update': join([5], evilUpdate),
    'type 99': [99],
    'type 100, that nothing is saved': join([100], sized(Buffer.from('{"saved":false}'))),
    'type 100, a run': join([100], sized(Buffer.from('{"run":"start","by":"evil"}'))),
    'type 100 without a body': [100],
    'type 128 and 100,000 bytes': join([128, 1], Buffer.alloc(100_000, 255)),
    'type 2^32 - 1': hex('ffffffff0f'),
    'type 2^53 - 1': hex('ffffffffffffff0f'),
    'a query': [3],
    'a query in two bytes': [0x83, 0],
    'a query with an update behind it': join([3], evilUpdate),
    'an empty update with another message behind it': join(
        frames.update(Uint8Array.of(0, 0)),
        evilUpdate,
    ),
    'awareness of nobody with an update behind it': join([1, 1, 0], evilUpdate),
});
rows('message', OPEN, sent, { '500 queries': repeat(500, frame([3])) });
rows('message', OPEN, (content) => ({ ...message(content), answers: 1 }), {
    'step 1 with an update behind it': join(STEP1, evilUpdate),
    'step 1 with its kind in two bytes': [0, 0x80, 0, 1, 0],
    'step 1 with its type in two bytes': [0x80, 0, 0, 1, 0],
});

// --- messages: state vectors ---------------------------------------------------------------------

const MANY = hex('80808010'); // 2^25
const ALL = bytes((out) =>
    out.uint(3).uint(BOB).uint(MAX).uint(ADA).uint(MAX).uint(SCENE).uint(MAX),
);
rows('step 1', 1002, asking, {
    'an empty body': [],
    'a client announced, none there': [1],
    'a client without a clock': [1, 5],
    'two announced, one there': [2, 5, 1],
    '2^25 announced': join(MANY, [5, 1]),
    '2^53 - 1 announced': join(hex('ffffffffffffff0f'), [5, 1]),
    'a number without an end': unfinished,
    'a number of 11 bytes': join(LONG, [1]),
    'client 2^53': join([1], BEYOND, [1]),
    'clock 2^53': join([1, 5], BEYOND),
    'a byte behind the end': [1, 5, 1, 0],
    'an update instead': update([[EVIL, 0, [text('evil')]]]),
});
rows('step 1', OPEN, (content) => ({ ...asking(content), answers: 1 }), {
    'a client twice': [2, SCENE, 1, SCENE, 3],
    'a number in two bytes': [0x80, 0],
    'clients in rising order': [2, 5, 1, 6, 1],
    'more of everybody than there is': ALL,
    '200,000 clients': bytes((out) => {
        out.uint(200_000);
        for (let i = 200_000; i > 0; i--) out.uint(10_000 + i).u8(1);
        return out;
    }),
});
// Of what is asked at once not every question need have an answer of its own.
const questions = (count) => repeat(count, frame(frames.step1(ALL)));
rows('step 1', OPEN, (count) => ({ bytes: questions(count), answers: count }), {
    '500 at once': 500,
});

// --- messages: updates ---------------------------------------------------------------------------

const one = (struct, client = EVIL, clock = 0) => update([[client, clock, [struct]]]);
const gone = (ranges, client = EVIL) => update([], [[client, ranges]]);
const cut = (struct) => one(struct).slice(0, -2); // the delete set, and a byte
const value = (any) => item(REF.any, join([1], any));
const json = (letters) => sized(Buffer.from(letters));
const embed = (letters) => item(REF.embed, json(letters));
const format = (letters) => item(REF.format, join(json('bold'), json(letters)));
const oldJson = (letters) => item(REF.json, join([1], json(letters)));
const element = (name) => item(REF.type, join([3], sized(name)));
const deep = (count) => '['.repeat(count) + ']'.repeat(count);
const deepAny = (count) => join(repeat(count, [117, 1]), [126]);
const NULL = [126];

rows('update', 1002, updating, {
    'an empty body': [],
    'no delete set': [0],
    'a byte behind the end': [0, 0, 0],
    'a client announced, none there': [1],
    'a client whose structs are missing': [1, 1, 5],
    'two clients announced, one there': join([2], one(text('a')).slice(1)),
    'two structs announced, one there': join([1, 2], one(text('a')).slice(2)),
    '2^25 clients announced': join(MANY, one(text('a')).slice(1)),
    '2^53 - 1 clients announced': join(hex('ffffffffffffff0f'), one(text('a')).slice(1)),
    '2^25 structs announced': join([1], MANY, one(text('a')).slice(2)),
    'a number of clients without an end': unfinished,
    'client 2^53': join([1, 1], BEYOND, hex('00 04 01 01 74 01 61 00')),
    'a client of 11 bytes': join([1, 1], LONG, hex('01 00 04 01 01 74 01 61 00')),
    'clock 2^53': join([1, 1, 5], BEYOND, hex('04 01 01 74 01 61 00')),
    'a clock that ends beyond 2^53 - 1': one(text('ab'), EVIL, MAX),
    'a hole that ends beyond 2^53 - 1': one(hole(REF.gc, MAX), EVIL, 1),
    'a good struct, then a bad one': update([[EVIL, 0, [text('a'), [31, 1, 1, 0x74]]]]),
    'a good client, then a bad one': update([
        [EVIL + 1, 0, [text('a')]],
        [EVIL, 0, [text('')]],
    ]),
    'good structs, then a bad delete set': join(one(text('a')).slice(0, -1), [1, 5]),
    'more from somebody who is there, then a bad struct': update([
        [SCENE, SCENE_CLOCK, [text('a'), [31, 1, 1, 0x74]]],
    ]),
});
rows('update, content cut off', 1002, (struct) => updating(cut(struct)), {
    'a hole': hole(REF.gc, 300),
    'a skip': hole(REF.skip, 300),
    deleted: item(REF.deleted, [0x81, 1]),
    'old JSON': oldJson('[1]'),
    binary: item(REF.binary, sized([1, 2, 3])),
    string: text('abc'),
    embed: embed('{"a":1}'),
    format: format('true'),
    'an XML element': element(Buffer.from('p')),
    'any value': value([119, 3, 97, 98, 99]),
    'a subdocument': item(REF.doc, join(json('guid'), [118, 1], json('a'), [125, 1])),
    'a map key': item(REF.any, [1, 126], { root: 'm', key: 'k' }),
    'an origin': item(REF.string, [], { origin: [SCENE, 1000] }),
    'a right origin': item(REF.string, [], { right: [SCENE, 1000] }),
    'a parent': item(REF.string, [], { parent: [SCENE, 1000] }),
});
rows('update', 1002, (ref) => updating(one(item(ref, [1, 97]))), {
    'content 11': 11,
    'content 12': 12,
    'content 15': 15,
    'content 16': 16,
    'content 30': 30,
    'content 31': 31,
});
rows('update', 1002, (struct) => updating(one(struct)), {
    'a hole of length 0': hole(REF.gc, 0),
    'a skip of length 0': hole(REF.skip, 0),
    'deleted, of length 0': item(REF.deleted, [0]),
    'an empty text': text(''),
    'no values': item(REF.any, [0]),
    'no old JSON': item(REF.json, [0]),
    '2^25 values announced': item(REF.any, join(MANY, NULL)),
    '2^25 old JSON values announced': item(REF.json, join(MANY, json('1'))),
    'a text of 2^25 bytes announced': item(REF.string, join(MANY, [97])),
    'a text of 2^53 bytes announced': item(REF.string, join(BEYOND, [97])),
    'a text that is not UTF-8': item(REF.string, sized([0xff])),
    'a text cut within a character': item(REF.string, sized([0xe2, 0x82])),
    'a text that begins within a character': item(REF.string, sized([0x82, 0xac])),
    'a text with half a surrogate pair': item(REF.string, sized([0xed, 0xa0, 0x80])),
    'a text with an overlong NUL': item(REF.string, sized([0xc0, 0x80])),
    'a text beyond U+10FFFF': item(REF.string, sized([0xf4, 0x90, 0x80, 0x80])),
    'a root that is not UTF-8': text('a', { root: [0xed, 0xa0, 0x80] }),
    'a key that is not UTF-8': item(REF.any, [1, 126], { root: 'm', key: [0xff] }),
    'a format key that is not UTF-8': item(REF.format, join(sized([0xff]), json('1'))),
    'a format value that is not UTF-8': item(
        REF.format,
        join(json('bold'), sized([0x22, 0xff, 0x22])),
    ),
    'an XML name that is not UTF-8': element([0xff]),
    'a guid that is not UTF-8': item(REF.doc, join(sized([0xff]), [118, 0])),
    'a string value that is not UTF-8': value([119, 1, 0xff]),
    'an object key that is not UTF-8': value([118, 1, 1, 0xff, 126]),
    'an embed that is not UTF-8': item(REF.embed, sized([0x22, 0xff, 0x22])),
    'old JSON that is not UTF-8': item(REF.json, join([1], sized([0x22, 0xff, 0x22]))),
    'an empty embed': embed(''),
    'an embed that is half an object': embed('{'),
    'an embed that is undefined': embed('undefined'),
    'an embed in single quotes': embed("{'a':1}"),
    'an embed with a last comma': embed('[1,]'),
    'an embed with a byte order mark': embed('\ufeff{}'),
    'an embed with a control character': embed('"\u0001"'),
    'two embeds in one': embed('{} {}'),
    'an embed nested 65 deep': embed(deep(65)),
    'an embed nested 200,000 deep': embed(deep(200_000)),
    'a format that is no JSON': format('yes'),
    'a format nested 200,000 deep': format(deep(200_000)),
    'old JSON that is none': oldJson('[1'),
    'a value of kind 115': value([115]),
    'a value of kind 128': value([128]),
    'a value of kind 0': value([0]),
    'an integer beyond 2^53 - 1': value(join([125], hex('ffffffffffffffffff01'))),
    'half a float': value([123, 0, 0, 0]),
    'an array of 2^25 announced': value(join([117], MANY, NULL)),
    'an object of 2^25 keys announced': value(join([118], MANY, NULL)),
    'bytes of 2^25 announced': value(join([116], MANY, [1])),
    'a value nested 65 deep': value(deepAny(65)),
    'a value nested 200,000 deep': value(deepAny(200_000)),
    'type 7': item(REF.type, [7]),
    'type 255': item(REF.type, [255, 1]),
    'a subdocument without options': item(REF.doc, join(json('guid'), NULL)),
    'itself for an origin': text('a', { origin: [EVIL, 0] }),
    'an origin in its own future': text('a', { origin: [EVIL, 5] }),
    'a right origin in its own future': text('a', { right: [EVIL, 5] }),
    'itself for a parent': text('a', { parent: [EVIL, 0] }),
    'an origin that is client 2^53': item(REF.string, sized([97]), {
        origin: [2 ** 53, 0],
    }),
});
rows('update', 1002, updating, {
    'a delete set without an end': [0, 1],
    'a client with deletions announced, none there': [0, 1, 5],
    'two deletions announced, one there': [0, 1, 5, 2, 0, 1],
    '2^25 clients with deletions announced': join([0], MANY, [5, 1, 0, 1]),
    '2^25 deletions announced': join([0, 1, SCENE], MANY, [0, 1]),
    'a deletion of length 0': gone([[0, 0]], SCENE),
    'a deletion that ends beyond 2^53 - 1': gone([[MAX, 2]], SCENE),
    'a deletion at 2^53': join([0, 1, SCENE, 1], BEYOND, [1]),
    'a deletion of client 2^53': join([0, 1], BEYOND, [1, 0, 1]),
    'a good deletion, then a bad one': gone(
        [
            [0, 1],
            [1, 0],
        ],
        SCENE,
    ),
    'a good deletion, and a byte behind it': join(gone([[0, 1]], SCENE), [0]),
});
rows('update', OPEN, updating, {
    'a hole of length 2^40': one(hole(REF.gc, 2 ** 40)),
    'a hole of length 2^53 - 1': one(hole(REF.gc, MAX)),
    'a skip of length 2^53 - 1': one(hole(REF.skip, MAX)),
    'deleted, of length 2^40': one(
        item(
            REF.deleted,
            bytes((out) => out.uint(2 ** 40)),
        ),
    ),
    'holes that end beyond 2^40': update([[EVIL, 0, range(3, () => hole(REF.gc, 2 ** 39))]]),
    'a letter at clock 2^53 - 2': one(text('a'), EVIL, MAX - 1),
    'a root of 5,000 characters': one(text('a', { root: 'r'.repeat(5000) })),
    'a root of 800,000 characters': one(text('a', { root: 'r'.repeat(800_000) })),
    'a key of 5,000 characters': one(item(REF.any, [1, 126], { root: 'm', key: 'k'.repeat(5000) })),
    '1,100 roots': update([[EVIL, 0, range(1100, (i) => text('a', { root: `r${i}` }))]]),
    '66,000 clients': update(range(66_000, (i) => [100_000 + i, 0, [hole(REF.gc, 1)]]).reverse()),
    'a map in a map, 100 deep': update([
        [
            EVIL,
            0,
            range(100, (i) =>
                item(REF.type, [1], {
                    ...(i === 0 ? { root: 'm' } : { parent: [EVIL, i - 1] }),
                    key: 'k',
                }),
            ),
        ],
    ]),
    '60,000 deletions that must wait': gone(range(60_000, (i) => [2 * i, 1])),
    'more than the document may have': one(text('x'.repeat(ROOM_BYTES + 1))),
});
rows('update', OPEN, updating, {
    'nothing new': [0, 0],
    'what everybody has': scene(),
    'other words for what everybody has': one(text('evil'), SCENE, 0),
    'other kinds of what everybody has': update([
        [SCENE, 0, [hole(REF.gc, 9), item(REF.type, [1], { root: 'evil' })]],
    ]),
    'a parent that is none for what everybody has': one(
        text('abcd', { parent: [SCENE + 70, 0] }),
        SCENE,
    ),
    'a deletion of what is gone': gone([[2, 2]], SCENE),
    '50,000 deletions of what is gone': gone(
        range(50_000, () => [2, 2]),
        SCENE,
    ),
    'a client without structs': [1, 0, 5, 0, 0],
    'a client without deletions': [0, 1, 5, 0],
    'a skip': one(hole(REF.skip, 5)),
    '400,000 skips': update([[EVIL, 0, new Array(400_000).fill(hole(REF.skip, 1))]]),
    'a client twice, with what everybody has': update([
        [SCENE, 0, [text('ab')]],
        [SCENE, 0, [text('evil')]],
    ]),
    'a number in ten bytes': join(hex('80808080808080808000'), [0]),
});
rows('step 2', 1002, answering, {
    'an empty body': [],
    'no delete set': [0],
    'a byte behind the end': [0, 0, 0],
    'cut off': cut(text('abc')),
    '2^25 structs announced': join([1], MANY, one(text('a')).slice(2)),
    'content 31': one(item(31, [1, 97])),
    'a text that is not UTF-8': one(item(REF.string, sized([0xff]))),
    'itself for an origin': one(text('a', { origin: [EVIL, 0] })),
    'a deletion of length 0': gone([[0, 0]], SCENE),
    'a state vector instead': [1, SCENE, 1],
});
rows('step 2', OPEN, answering, {
    'a hole of length 2^53 - 1': one(hole(REF.gc, MAX)),
    'more than the document may have': one(text('x'.repeat(ROOM_BYTES + 1))),
});
rows('step 2', OPEN, answering, {
    'nothing new': [0, 0],
    'what everybody has': scene(),
    'other words for what everybody has': one(text('evil'), SCENE, 0),
});

// --- messages: awareness -------------------------------------------------------------------------

const entry = (client, clock, state) =>
    bytes((out) => {
        out.uint(client).uint(clock);
        return typeof state === 'string' ? out.string(state) : out.uint(state.length).raw(state);
    });
const people = (...entries) => join([entries.length], ...entries);
const says = (state) => people(entry(EVIL, 1, state));
const NAME = '{"user":{"name":"evil"}}';

rows('awareness', 1002, message, {
    'no body': [1],
    'a length without an end': join([1], unfinished),
    'a body that is cut off': [1, 5, 1, 5, 1],
    'a length of 2^53 - 1': join([1], hex('ffffffffffffff0f'), [0]),
});
rows('awareness', 1002, aware, {
    'an empty body': [],
    'somebody announced, nobody there': [1],
    'two announced, one there': join([2], entry(EVIL, 1, NAME)),
    '2^25 announced': join(MANY, entry(EVIL, 1, NAME)),
    'a client without a clock': [1, 5],
    'a client without a state': [1, 5, 1],
    'a state that is cut off': [1, 5, 1, 5, 0x7b],
    'a state of 2^53 - 1 bytes': join([1, 5, 1], hex('ffffffffffffff0f'), [0x7b, 0x7d]),
    'client 2^53': join([1], BEYOND, [1, 2, 0x7b, 0x7d]),
    'clock 2^53': join([1, 5], BEYOND, [2, 0x7b, 0x7d]),
    'a byte behind the end': join(says(NAME), [0]),
    'an empty state': says(''),
    'a state that is half an object': says('{'),
    'a state that is undefined': says('undefined'),
    'a state that is NaN': says('NaN'),
    'a state in single quotes': says("{'a':1}"),
    'a state with a last comma': says('{"a":1,}'),
    'a state with a byte order mark': says('\ufeff{}'),
    'a state with a control character': says('"\u0000"'),
    'a state with a bad escape': says('"\\x41"'),
    'two states in one': says('{}{}'),
    'a state that is not UTF-8': says([0x22, 0xff, 0x22]),
    'a state with half a surrogate pair': says([0x22, 0xed, 0xa0, 0x80, 0x22]),
    'a state nested 65 deep': says(deep(65)),
    'a state nested 5,000 deep': says(deep(5000)),
    'a good one, then a bad one': people(entry(EVIL, 1, NAME), entry(EVIL + 1, 1, '{')),
    'somebody who is there is gone, then a bad one': people(
        entry(ADA, PRESENCE_CLOCK + 100, 'null'),
        entry(EVIL, 1, '{'),
    ),
});
rows('awareness', OPEN, aware, {
    'a state of 20 KB': says(`"${'x'.repeat(20_000)}"`),
    'a state nested 200,000 deep': says(deep(200_000)),
    '1,100 people': join(
        bytes((out) => out.uint(1100)),
        ...range(1100, (i) => entry(EVIL + i, 1, '{}')),
    ),
});
rows('awareness', OPEN, aware, {
    nobody: [0],
    'somebody with clock 0': people(entry(EVIL, 0, NAME)),
    'old news of somebody who is there': people(entry(ADA, PRESENCE_CLOCK - 1, NAME)),
    'old news that is no JSON': people(entry(ADA, 1, '{')),
    'old news that is not UTF-8': people(entry(BOB, 1, [0xff])),
    'old news that somebody is gone': people(entry(BOB, PRESENCE_CLOCK - 1, 'null')),
    'old news of 900 KB': people(entry(ADA, 1, 'x'.repeat(900_000))),
});

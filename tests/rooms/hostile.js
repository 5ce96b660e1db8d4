// Runs the rows of hostile_table.js against a room where two people work, while two more work in
// another room; and the client that never reads.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import * as Y from 'yjs';
import { until } from '../integration/lib/process.js';
import {
    ADA,
    BOB,
    ENDED,
    OPEN,
    PRESENCE_CLOCK,
    SCENE,
    SCENE_CLOCK,
    scene,
    table,
} from './hostile_table.js';
import { fence, freshRoom, openedSocket } from './lib/clients.js';
import * as frames from './lib/frames.js';
import { dial, enter, fenced, frame } from './lib/raw.js';

const DEADLINE_MS = 60_000;
const OTHERS = [2001, 2002]; // who are in the other room

// --- those who work ------------------------------------------------------------------------------

// A worker's thread of lib/honest.js: two rooms with two people each, who type from now on. `leaks`
// tells what they heard that nobody of them had said, and during which row.
export async function startWork(house) {
    const [room, other] = [freshRoom(), freshRoom()];
    const first = await openedSocket(house, room);
    first.send(frames.update(scene()));
    await fence(first);
    first.leave();
    const worker = new Worker(new URL('./lib/honest.js', import.meta.url), {
        workerData: {
            url: house.url,
            presenceClock: PRESENCE_CLOCK,
            rooms: [
                { room, people: [ADA, BOB] },
                { room: other, people: OTHERS },
            ],
        },
    });
    // One question at a time; whatever ends the worker ends the wait for its answer.
    const told = {};
    const hear = (what) =>
        new Promise((resolve, reject) => {
            Object.assign(told, { what, resolve, reject });
            told.timer = setTimeout(
                () => reject(new Error(`the workers did not say "${what}"`)),
                2 * DEADLINE_MS,
            );
        }).finally(() => clearTimeout(told.timer));
    const ask = (wish) => {
        worker.postMessage(wish);
        return hear(wish);
    };
    const work = {
        room,
        other,
        row: null, // the name of the row that is under way
        leaks: [],
        fence: () => ask('fence'), // what they were sent before has been looked at
        lap: () => ask('lap'),
        stop: () => ask('stop'),
        end: () => worker.terminate(),
    };
    worker.on('error', (error) => told.reject(error));
    worker.on('message', (message) => {
        if (message.leak !== undefined)
            work.leaks.push(`${work.row ?? 'some row'}: ${message.leak}`);
        else told.resolve(message[told.what]);
    });
    await hear('ready');
    return work;
}

// --- one row -------------------------------------------------------------------------------------

function outcome(peer) {
    const end = peer.closed ?? (peer.status === 101 ? null : peer.status);
    if (!peer.ended) return end === null ? 'nothing in time' : `${end}, but no end`;
    return end ?? ENDED;
}

// Whether it is open, and answers: as often as it was asked, or fewer times what was asked at once.
async function goesOn(peer, answers) {
    peer.write(frame(frames.step1()));
    if (!(await fenced(peer))) return null;
    const given = peer.messages.filter(frames.isStep2).length;
    return given >= 1 && given <= answers + 1 ? OPEN : `open, with ${given - 1} answers`;
}

async function knock(house, room, { request, expect, then }) {
    const made = typeof request === 'function' ? request(`127.0.0.1:${house.port}`, room) : request;
    const peer = dial(house);
    try {
        peer.write(Buffer.from(made));
        if (then !== undefined) peer[then]();
        const upgraded = () => expect < 600 && peer.status === 101;
        await peer.wait(() => peer.ended || upgraded(), DEADLINE_MS);
        return upgraded() ? 101 : outcome(peer);
    } finally {
        peer.leave();
    }
}

async function speak(house, room, { bytes, pieces = [bytes], expect, answers = 0, then }) {
    const peer = await enter(house, room);
    try {
        for (const piece of pieces) await peer.write(Buffer.from(piece));
        if (then !== undefined) {
            peer[then]();
        } else if (expect === OPEN) {
            const found = await goesOn(peer, answers);
            if (found !== null) return found;
        } else if (await fenced(peer)) {
            return OPEN;
        }
        await peer.wait(() => peer.ended, DEADLINE_MS);
        return outcome(peer);
    } finally {
        peer.leave();
    }
}

// What became of a row; row.expect if all is well.
export const attack = (house, room, row) =>
    (row.request === undefined ? speak : knock)(house, room, row);

// Resolves when those who work are alone again.
export async function alone(house, room) {
    const url = `http://127.0.0.1:${house.port}/api/rooms/${room}`;
    await until('the attackers to be gone', async () => {
        const answer = await fetch(url);
        return (await answer.json()).people === 2;
    });
}

// --- what is left of it --------------------------------------------------------------------------

const GOOD = [SCENE, ADA, BOB];
const TEXT = new RegExp(`^(${ADA}\\.\\d+ )*abefgh(${BOB}\\.\\d+ )*$`);
const MAP = '{"k":1,"n":{}}';

function traces(messages) {
    const found = new Set();
    const note = (bad, what) => bad && found.add(what);
    const vector = Y.decodeStateVector(messages.find(frames.isStep1).bytes);
    const state = messages.find(frames.isStep2).bytes;
    const { structs, ds } = Y.decodeUpdate(state);
    const doc = new Y.Doc();
    Y.applyUpdate(doc, state);
    const clients = [...vector.keys(), ...structs.map(({ id }) => id.client), ...ds.clients.keys()];
    for (const client of clients) note(!GOOD.includes(client), `client ${client}`);
    note(vector.get(SCENE) !== SCENE_CLOCK, `clock ${vector.get(SCENE)}`);
    const deleted = JSON.stringify([...ds.clients]);
    note(deleted !== `[[${SCENE},[{"clock":2,"len":2}]]]`, `deletions ${deleted}`);
    note(doc.store.pendingStructs !== null, 'structs that wait');
    note(doc.store.pendingDs !== null, 'deletions that wait');
    for (const root of doc.share.keys()) note(!['t', 'm'].includes(root), `root ${root}`);
    note(!TEXT.test(doc.getText('t').toString()), 'the text');
    note(JSON.stringify(doc.getMap('m')) !== MAP, 'the map');
    const here = messages.filter(frames.isPresence).flatMap(({ entries }) => entries);
    for (const { client, state: says } of here)
        note(says?.user?.id !== client, `awareness of ${client}`);
    for (const id of [ADA, BOB]) note(!here.some(({ client }) => client === id), `${id} is gone`);
    doc.destroy();
    return [...found];
}

// What a fresh joiner finds in the room that should not be there, a line each.
export async function inspect(house, room) {
    const peer = await enter(house, room);
    try {
        peer.write(Buffer.concat([frame(frames.step1()), frame(frames.query())]));
        if (!(await fenced(peer))) return ['a joiner is not answered'];
        return traces(peer.messages);
    } finally {
        peer.leave();
    }
}

// All rows, several at a time; those of which something else became, a line each.
export async function siege(house, work, lanes) {
    const rows = table.filter(({ slow }) => !slow).values();
    const wrong = [];
    let before = [];
    async function lane() {
        for (const row of rows) {
            const found = await attack(house, work.room, row);
            const left = await inspect(house, work.room);
            if (found !== row.expect) wrong.push(`${row.name}: ${found} instead of ${row.expect}`);
            const news = left.filter((trace) => !before.includes(trace));
            if (news.length > 0) wrong.push(`${row.name}, or one beside it: left ${news}`);
            before = left;
        }
    }
    await Promise.all(Array.from({ length: lanes }, lane));
    return wrong;
}

// --- the client that never reads -----------------------------------------------------------------

const CHUNK = 64 * 1024;
const MB = 1 << 20;

function anonymousBytes(pid) {
    return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/RssAnon:\s+(\d+)/)[1]) * 1024;
}

export async function figure(house, name) {
    const text = await (await fetch(`http://127.0.0.1:${house.port}/metrics`)).text();
    return Number(text.match(new RegExp(`^${name} (\\d+)$`, 'm'))[1]);
}

// Somebody with a document that follows the room.
async function follower(house, room) {
    const socket = await openedSocket(house, room);
    const person = { socket, doc: new Y.Doc(), heard: () => {} };
    socket.ws.on('message', () => {
        for (const message of socket.seen.splice(0))
            if (frames.isStep2(message) || frames.isUpdate(message))
                Y.applyUpdate(person.doc, message.bytes, 'room');
        socket.bytes.length = 0;
        person.heard();
    });
    return person;
}

const value = ({ doc }) => doc.getMap('m').get('k');

// One overwrites a value of 64 KB again and again, one follows, and one stops to read once some of
// it has passed, if he does at all: { before, most, last } are bytes of the daemon's memory, `end`
// waits for him to read again and have the same.
export async function neverReading(house, megabytes, { stops = true } = {}) {
    const room = freshRoom();
    const [writer, reader, sleeper] = [
        await follower(house, room),
        await follower(house, room),
        await follower(house, room),
    ];
    let written = 0;
    writer.doc.on('update', (update, origin) => {
        if (origin !== 'room') writer.socket.send(frames.update(update));
    });
    async function pass(bytes, onMegabyte = () => {}) {
        for (let left = bytes; left > 0; left -= CHUNK) {
            const next = String((written += 1)).padStart(CHUNK, 'x');
            writer.doc.getMap('m').set('k', next);
            const arrived = new Promise((resolve) => {
                reader.heard = () => value(reader) === next && resolve();
            });
            await arrived;
            if (left % MB === 0) onMegabyte();
        }
    }
    const memory = () => anonymousBytes(house.daemon.pid);
    await pass(16 * MB);
    await until('the third to follow', () => value(sleeper) === value(writer), DEADLINE_MS);
    const found = { before: memory(), most: 0 };
    if (stops) sleeper.socket.ws.pause();
    await pass(megabytes * MB, () => (found.most = Math.max(found.most, memory())));
    found.last = memory();
    found.end = async () => {
        sleeper.socket.ws.resume();
        const state = ({ doc }) => Buffer.from(Y.encodeStateAsUpdate(doc)).toString('hex');
        await until(
            'the one who slept to have the same',
            () => {
                if (sleeper.socket.closed !== null) throw new Error('his connection has ended');
                return value(sleeper) === value(writer);
            },
            DEADLINE_MS,
        );
        assert.equal(state(sleeper), state(writer));
        for (const { socket } of [writer, reader, sleeper]) socket.leave();
    };
    return found;
}

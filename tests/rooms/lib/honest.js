// A worker: honest people, two a room, who type into one text and hear each other, on a thread of
// their own so that nobody else's work is taken for a delay. Each frame that they are sent must be
// of their colleague's making; whatever else comes is a leak, and told at once.
//
// It is given { url, rooms: [{ room, people: [id, id] }], presenceClock } and tells { ready }, and
// { leak } at any time. Asked for a 'fence' it answers when all that they were sent before has come;
// for a 'lap' with { edits, worst } since the last one, in ms; for a 'stop' with { edits, texts }
// when everybody has everything.
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import * as Y from 'yjs';
import { until } from '../../integration/lib/process.js';
import { openedSocket } from './clients.js';
import * as frames from './frames.js';

const PACE_MS = 10;
const RENEW_MS = 10_000;
const DEADLINE_MS = 60_000;

const lap = { edits: 0, worst: 0 };
const leak = (what) => parentPort.postMessage({ leak: what });

// What a frame holds that this colleague has not said, or null.
function foreign(message, colleague) {
    if (frames.isUpdate(message)) {
        const { structs, ds } = Y.decodeUpdate(message.bytes);
        const strange = structs.filter(({ id }) => id.client !== colleague);
        if (strange.length > 0) return `structs of client ${strange[0].id.client}`;
        return ds.clients.size > 0 ? 'deletions' : null;
    }
    if (frames.isAwareness(message)) {
        const strange = message.entries.find((each) => each.client !== colleague || !each.state);
        return strange === undefined ? null : `awareness ${JSON.stringify(strange)}`;
    }
    return message.type === frames.ROOM ? null : `a message of type ${message.type}`;
}

async function enter(room, id, colleague, atEnd) {
    const socket = await openedSocket({ url: workerData.url }, room);
    const doc = new Y.Doc();
    doc.clientID = id;
    const text = doc.getText('t');
    const person = { socket, doc, sent: [], edits: 0, typed: 0, timers: [] };
    let taken = 0;
    let greeted = false;
    const take = () => {
        for (; taken < socket.seen.length; taken++) {
            const message = socket.seen[taken];
            if (!greeted) {
                if (!frames.isStep2(message)) continue;
                greeted = true;
                Y.applyUpdate(doc, message.bytes, 'room');
                continue;
            }
            const strange = foreign(message, colleague);
            if (strange !== null) leak(`${strange}, to client ${id} in ${room}`);
            if (frames.isUpdate(message)) person.hear(message.bytes);
        }
    };
    // The colleague's edits that have come with it were on their way for so long.
    person.hear = (bytes) => {
        Y.applyUpdate(doc, bytes, 'room');
        const held = Y.getState(doc.store, colleague);
        const { sent } = person.colleague;
        while (sent.length > 0 && sent[0].end <= held)
            lap.worst = Math.max(lap.worst, performance.now() - sent.shift().at);
    };
    doc.on('update', (update, origin) => {
        if (origin === 'room') return;
        person.sent.push({ end: Y.getState(doc.store, id), at: performance.now() });
        socket.send(frames.update(update));
    });
    // In front or at the end: so the words of each become one piece.
    person.type = () => {
        const word = `${id}.${(person.edits += 1)} `;
        text.insert(atEnd ? text.length : person.typed, word);
        person.typed += word.length;
        lap.edits += 1;
    };
    let clock = workerData.presenceClock;
    const announce = () =>
        socket.send(frames.awareness({ client: id, clock: clock++, state: { user: { id } } }));
    socket.ws.on('message', take);
    socket.ws.on('close', (code) => person.leaving || leak(`a close ${code} to ${id} in ${room}`));
    socket.send(frames.step1());
    await until('a step 2', () => greeted || take(), DEADLINE_MS);
    announce();
    person.start = () => {
        person.timers.push(setInterval(person.type, PACE_MS), setInterval(announce, RENEW_MS));
    };
    return person;
}

async function enterBoth({ room, people: [one, other] }) {
    const pair = [await enter(room, one, other, false), await enter(room, other, one, true)];
    pair.forEach((person, i) => (person.colleague = pair[1 - i]));
    return { room, pair };
}

async function stop(rooms) {
    const everybody = rooms.flatMap(({ pair }) => pair);
    for (const { timers } of everybody) timers.forEach(clearInterval);
    const allHeard = () => everybody.every(({ sent }) => sent.length === 0);
    await until('all edits to arrive', allHeard, DEADLINE_MS);
    const texts = {};
    for (const { room, pair } of rooms) {
        const [text, same] = pair.map(({ doc }) => doc.getText('t').toString());
        assert.equal(text, same, `two who were in ${room} differ`);
        texts[room] = text;
    }
    for (const person of everybody) {
        assert.equal(person.socket.failure, null);
        person.leaving = true;
        person.socket.leave();
    }
    return { edits: everybody.reduce((sum, { edits }) => sum + edits, 0), texts };
}

const pong = ({ socket: { ws } }) =>
    new Promise((resolve) => {
        ws.once('pong', resolve);
        ws.ping();
    });

const rooms = [];
const answers = {
    fence: () => Promise.all(rooms.flatMap(({ pair }) => pair.map(pong))).then(() => true),
    lap() {
        const passed = { ...lap };
        Object.assign(lap, { edits: 0, worst: 0 });
        return passed;
    },
    stop: () => stop(rooms),
};
for (const each of workerData.rooms) rooms.push(await enterBoth(each));
for (const { pair } of rooms) for (const person of pair) person.start();
parentPort.on('message', async (wish) => {
    parentPort.postMessage({ [wish]: await answers[wish]() });
    if (wish === 'stop') parentPort.close();
});
parentPort.postMessage({ ready: true });

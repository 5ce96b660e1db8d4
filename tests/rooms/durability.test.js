// What a room has shown to a peer while Redis was there outlives the daemon. ROOMS_SEED repeats a run.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import * as Y from 'yjs';
import { until } from '../integration/lib/process.js';
import { startRedis } from '../integration/lib/redis.js';
import { fence, freshRoom, joined, leaveAll, openedSocket } from './lib/clients.js';
import { random } from './lib/edits.js';
import * as frames from './lib/frames.js';
import { startHouse } from './lib/house.js';
import { assertHolds, killAt, startTyping, watch } from './lib/promise.js';
import { text, update } from './lib/updates.js';

const ROUNDS = Number(process.env.ROOMS_ROUNDS ?? 10);
const seed = Number(process.env.ROOMS_SEED ?? Math.floor(Math.random() * 2 ** 31));

let redis;
const houses = [];
beforeEach(async () => {
    redis = await startRedis();
});
afterEach(async () => {
    leaveAll();
    for (const house of houses.splice(0)) await house.stop();
    await redis?.stop();
});

async function open(...args) {
    const house = await startHouse(redis, args);
    houses.push(house);
    return house;
}

const number = async (...words) => Number(await redis.call(...words));
const logLength = (room) => number('LLEN', `collab:log:${room}`);
const hasSnapshot = async (room) => (await number('EXISTS', `collab:doc:${room}`)) === 1;

// One change after the other, each stored before the next is made.
async function typeWords(client, watcher, count) {
    const text = client.doc.getText('t');
    const own = () => Y.getState(client.doc.store, client.doc.clientID);
    for (let i = 0; i < count; i++) {
        text.insert(text.length, `${i} `);
        await until('the watcher', () => watcher.heard(client.doc.clientID) === own());
    }
}

const saved = (client) => client.told.filter((told) => 'saved' in told).at(-1)?.saved;

test(`SIGKILL at a random update, ${ROUNDS} times in one room, seed ${seed}`, async () => {
    const r = random(seed);
    const house = await open();
    const room = freshRoom();
    const relayed = [];
    for (let i = 0; i < ROUNDS; i++) {
        const n = 1 + r.below(60);
        relayed.push(...(await killAt(house, room, n, r)));
        await assertHolds(house, room, relayed, `seed ${seed}, round ${i}`);
    }
});

test(`SIGKILL around compaction, ${ROUNDS} times in one room, seed ${seed}`, async () => {
    const r = random(seed);
    const house = await open('--compact-updates', '5');
    const room = freshRoom();
    const relayed = [];
    for (let i = 0; i < ROUNDS; i++) {
        const n = 3 + r.below(9);
        relayed.push(...(await killAt(house, room, n, r)));
        await assertHolds(house, room, relayed, `seed ${seed}, round ${i}`);
    }
    assert.ok(await hasSnapshot(room), 'nothing was compacted');
});

test('the log is compacted into the snapshot, and stays short', async () => {
    const house = await open('--compact-updates', '20');
    const room = freshRoom();
    const [client, watcher] = [await joined(house, room), await watch(house, room)];
    await typeWords(client, watcher, 10);
    assert.ok((await logLength(room)) > 0, 'nothing is in the log');
    assert.equal(await hasSnapshot(room), false, 'a snapshot after ten updates');
    for (let i = 0; i < 10; i++) {
        await typeWords(client, watcher, 30);
        await until('a short log', async () => (await logLength(room)) <= 20);
        assert.ok(await hasSnapshot(room));
    }
    await house.kill();
    leaveAll();
    await house.start();
    await assertHolds(house, room, watcher.relayed, 'after compactions');
});

// It waits for a letter that somebody will type, and then passes a limit.
test('what waits and can never be taken in holds up neither who types nor the log', async () => {
    const house = await open('--compact-updates', '10');
    const room = freshRoom();
    const [client, watcher] = [await joined(house, room), await watch(house, room)];
    await typeWords(client, watcher, 1);
    const next = Y.getState(client.doc.store, client.doc.clientID);
    const roots = Array.from({ length: 1100 }, (_, i) => text('x', { root: `r${i}` }));
    const waits = text('x', { origin: [client.doc.clientID, next] });
    const stranger = await openedSocket(house, room);
    stranger.send(frames.update(update([[1, 0, [waits, ...roots]]])));
    await fence(stranger);
    assert.equal(await logLength(room), 2, 'it is not in the log');
    await typeWords(client, watcher, 30);
    await until('a short log', async () => (await logLength(room)) <= 10);
    await house.kill();
    leaveAll();
    await house.start();
    await assertHolds(house, room, watcher.relayed, 'after compactions');
});

test('two daemons compact one room', async () => {
    const r = random(seed);
    const pair = [await open('--compact-updates', '5'), await open('--compact-updates', '5')];
    const room = freshRoom();
    const watchers = [];
    const typings = [];
    for (const house of pair) {
        const client = await joined(house, room);
        const watcher = await watch(house, room);
        watchers.push(watcher);
        typings.push(startTyping(client, r, () => watcher.heard(client.doc.clientID)));
    }
    await until('300 updates each', () => watchers.every(({ relayed }) => relayed.length > 300));
    for (const house of pair) house.daemon.signal('SIGKILL');
    await until('the end', () => watchers.every(({ closed }) => closed !== null));
    for (const typing of typings) await typing.stop();
    leaveAll();
    for (const house of pair) await house.daemon.exit;
    for (const house of pair) await house.start();
    assert.ok(await hasSnapshot(room));
    const relayed = watchers.flatMap((watcher) => watcher.relayed);
    for (const house of pair) await assertHolds(house, room, relayed, `seed ${seed}`);
});

test('Redis away: not saved is said, the room goes on, and is saved when Redis is back', async () => {
    const house = await open();
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(house, room)];
    const watcher = await watch(house, room);
    const text = (client) => client.doc.getText('t').toString();
    ada.doc.getText('t').insert(0, 'before');
    await until('before', () => text(bob) === 'before');
    assert.notEqual(saved(bob), false);
    await redis.kill();
    for (const [client, words] of [
        [ada, 'one '],
        [bob, 'two '],
    ]) {
        client.doc.getText('t').insert(0, words);
        await until(words, () => [ada, bob].every((each) => text(each).startsWith(words)));
    }
    for (const client of [ada, bob]) await until('not saved', () => saved(client) === false);
    await redis.up();
    for (const client of [ada, bob]) await until('saved', () => saved(client) === true);
    await until('the watcher', () => watcher.relayed.length >= 3);
    await house.kill();
    leaveAll();
    await house.start();
    await assertHolds(house, room, watcher.relayed, 'after Redis was away');
    const fresh = await joined(house, room);
    assert.equal(fresh.atSync, 'two one before');
});

test('each time that Redis comes back: once it says saved, SIGKILL loses nothing', async () => {
    const r = random(seed);
    const house = await open();
    const room = freshRoom();
    const relayed = [];
    for (let i = 0; i < 4; i++) {
        const typist = await joined(house, room);
        const watcher = await watch(house, room, (count) => {
            if (count === 10) redis.server.signal('SIGKILL');
        });
        const typing = startTyping(typist, r, () => watcher.heard(typist.doc.clientID));
        const tells = (saved) => (message) =>
            message.type === frames.ROOM && message.told.saved === saved;
        await watcher.next('not saved', tells(false));
        await redis.server.exit;
        const from = watcher.seen.length;
        watcher.ws.on('message', () => {
            if (watcher.seen.slice(from).some(tells(true))) house.daemon.signal('SIGKILL');
        });
        await redis.up();
        await until('the end', () => watcher.closed !== null);
        await typing.stop();
        await house.daemon.exit;
        leaveAll();
        await house.start();
        relayed.push(...watcher.relayed);
        await assertHolds(house, room, relayed, `seed ${seed}, round ${i}`);
    }
});

test('SIGTERM loses nothing either', async () => {
    const r = random(seed);
    const house = await open();
    const room = freshRoom();
    const relayed = [];
    for (let i = 0; i < 3; i++) {
        const typist = await joined(house, room);
        const watcher = await watch(house, room, (count) => {
            if (count === 20) house.daemon.signal('SIGTERM');
        });
        const typing = startTyping(typist, r, () => watcher.heard(typist.doc.clientID));
        await until('the end', () => watcher.closed !== null);
        await typing.stop();
        leaveAll();
        assert.equal(await house.daemon.exit, 0, house.daemon.log);
        await house.start();
        relayed.push(...watcher.relayed);
        await assertHolds(house, room, relayed, `seed ${seed}, round ${i}`);
    }
});

test('SIGTERM waits for a Redis that comes back, and gives it what it lacks', async () => {
    const house = await open();
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(house, room)];
    ada.doc.getText('t').insert(0, 'kept');
    await until('the edit', () => bob.doc.getText('t').toString() === 'kept');
    await redis.kill();
    ada.doc.getText('t').insert(4, ' all the same');
    await until('not saved', () => saved(bob) === false);
    house.daemon.signal('SIGTERM');
    await until('the sockets to be closed', () => !bob.provider.wsconnected);
    leaveAll();
    await redis.up();
    assert.equal(await house.daemon.exit, 0, house.daemon.log);
    assert.doesNotMatch(house.daemon.log, /room\.lost/);
    await house.start();
    assert.equal((await joined(house, room)).atSync, 'kept all the same');
});

test('an empty room is unloaded after its idle time and comes back from Redis', async () => {
    const house = await open('--room-idle-ms', '300');
    const room = freshRoom();
    const listeners = async () =>
        Number((await redis.call('PUBSUB', 'NUMSUB', `collab:room:${room}`)).split('\n').at(-1));
    const [client, watcher] = [await joined(house, room), await watch(house, room)];
    await typeWords(client, watcher, 5);
    assert.equal(await listeners(), 1);
    leaveAll();
    await until('the room to be unloaded', async () => (await listeners()) === 0);
    const again = await joined(house, room);
    assert.equal(again.atSync, '0 1 2 3 4 ');
    again.leave();
    await until('the room to be unloaded again', async () => (await listeners()) === 0);
    await house.stop();
    await house.start();
    assert.equal((await joined(house, room)).atSync, '0 1 2 3 4 ');
});

test('snapshot and log expire 30 days after the last edit, both together', async () => {
    const house = await open('--compact-updates', '10');
    const room = freshRoom();
    const keys = [`collab:doc:${room}`, `collab:log:${room}`];
    const month = 30 * 24 * 3600;
    const [client, watcher] = [await joined(house, room), await watch(house, room)];
    await typeWords(client, watcher, 15);
    await until('a snapshot', () => hasSnapshot(room));
    await typeWords(client, watcher, 1);
    const lives = async () => Promise.all(keys.map((key) => number('TTL', key)));
    for (const left of await lives()) assert.ok(left > month - 600 && left <= month, `${left} s`);
    for (const key of keys) await redis.call('EXPIRE', key, 1000);
    await typeWords(client, watcher, 1);
    await until('both to be renewed', async () => (await lives()).every((s) => s > month - 600));
});

test('--room-ttl: a room that nobody edits is forgotten', async () => {
    const house = await open('--room-ttl', '600');
    const room = freshRoom();
    const [client, watcher] = [await joined(house, room), await watch(house, room)];
    await typeWords(client, watcher, 1);
    const left = await number('TTL', `collab:log:${room}`);
    assert.ok(left > 0 && left <= 600, `${left} s`);
});

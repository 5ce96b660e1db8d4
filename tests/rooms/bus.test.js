// What daemons tell one another on the channel of a room, and what any other tool finds there.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Redis } from 'ioredis';
import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { until } from '../integration/lib/process.js';
import { startRedis } from '../integration/lib/redis.js';
import { freshRoom, joined, leaveAll } from './lib/clients.js';
import * as frames from './lib/frames.js';
import { startHouse } from './lib/house.js';

let redis;
let house;
let other; // a second daemon with the same Redis
const tools = []; // connections of somebody else's
before(async () => {
    redis = await startRedis();
    house = await startHouse(redis);
    other = await startHouse(redis);
});
afterEach(async () => {
    leaveAll();
    for (const tool of tools.splice(0)) tool.disconnect();
});
after(async () => {
    const codes = [await house?.stop(), await other?.stop()];
    await redis?.stop();
    assert.deepEqual(codes, [0, 0], `${house?.daemon.log}\n${other?.daemon.log}`);
});

function connectTool() {
    const tool = new Redis(redis.address.replace('unix:', ''), redis.login);
    tools.push(tool);
    return tool;
}

const channelOf = (room) => `collab:room:${room}`;
const textOf = (client) => client.doc.getText('t').toString();
const type = (client, words) => client.doc.getText('t').insert(textOf(client).length, words);
const reads = (client, words) => until(`"${words}"`, () => textOf(client) === words);
const sees = (client, who) =>
    until('somebody elsewhere', () => client.provider.awareness.getStates().has(who.doc.clientID));

test('a tool that subscribes reads plain messages of y-websocket', async () => {
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(house, room)];
    const tool = connectTool();
    const doc = new Y.Doc();
    const present = new Set();
    tool.on('messageBuffer', (_channel, bytes) => {
        const decoder = decoding.createDecoder(bytes);
        const kind = decoding.readVarUint(decoder);
        if (kind === frames.SYNC && decoding.readVarUint(decoder) > 0) {
            Y.applyUpdate(doc, decoding.readVarUint8Array(decoder));
        } else if (kind === frames.AWARENESS) {
            const entries = decoding.createDecoder(decoding.readVarUint8Array(decoder));
            const count = decoding.readVarUint(entries);
            if (count > 0) present.add(decoding.readVarUint(entries));
        }
    });
    await tool.subscribe(channelOf(room));
    type(ada, 'heard');
    await reads(bob, 'heard');
    await until('the edit', () => doc.getText('t').toString() === 'heard');
    ada.provider.awareness.setLocalStateField('user', { name: 'Ada' });
    await until('Ada', () => present.has(ada.doc.clientID));
});

test('a tool that publishes plain messages is heard, and what it says is kept', async () => {
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(other, room)];
    const doc = new Y.Doc();
    doc.getText('t').insert(0, 'from outside');
    const heard = await connectTool().publish(
        channelOf(room),
        Buffer.from(frames.update(Y.encodeStateAsUpdate(doc))),
    );
    assert.equal(heard, 2);
    for (const who of [ada, bob]) await reads(who, 'from outside');
    await until('the edit in Redis', async () =>
        Number(await redis.call('LLEN', `collab:log:${room}`)),
    );
    leaveAll();
    await house.kill();
    await other.kill();
    await house.start();
    await other.start();
    assert.equal((await joined(house, room)).atSync, 'from outside');
});

test('nonsense on the channel changes nothing', async () => {
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(other, room)];
    const tool = connectTool();
    for (const bytes of [[], [0], [0, 2], [0, 2, 9, 1], [0, 2, 2, 1, 1], [1, 3, 255], [77, 1]]) {
        assert.equal(await tool.publish(channelOf(room), Buffer.from(bytes)), 2);
    }
    type(ada, 'still here');
    await reads(bob, 'still here');
});

test('a room that one daemon holds alone publishes neither edits nor cursors', async () => {
    const room = freshRoom();
    const published = [];
    let fences = 0;
    const monitor = await connectTool().monitor();
    tools.push(monitor);
    monitor.on('monitor', (_time, [command, channel, message]) => {
        if (/^publish$/i.test(command) && channel === channelOf(room)) published.push(message);
        if (/^echo$/i.test(command)) fences += 1;
    });
    const fence = async () => {
        const wanted = fences + 1;
        await redis.call('ECHO', room);
        await until('the monitor to have come so far', () => fences === wanted);
    };
    const [ada, bob] = [await joined(house, room), await joined(house, room)];
    type(ada, 'a');
    await reads(bob, 'a');
    await fence();
    assert.deepEqual(published, []);
    for (const letter of 'lone') {
        type(ada, letter);
        ada.provider.awareness.setLocalStateField('cursor', letter);
        await reads(bob, textOf(ada));
    }
    const carl = await joined(other, room); // asks, and so comes after all that
    assert.equal(carl.atSync, 'alone');
    await until('the question', () => published.length > 0);
    assert.match(published[0], /^(\\x00|\0){2}/, 'it is no step 1');
});

test('who joins on another daemon sees at once who is there', async () => {
    const room = freshRoom();
    const ada = await joined(house, room);
    type(ada, 'so that Redis says that nobody else listens');
    ada.provider.awareness.setLocalStateField('user', { name: 'Ada' });
    await until('the edit in Redis', async () =>
        Number(await redis.call('LLEN', `collab:log:${room}`)),
    );
    const bob = await joined(other, room);
    await sees(bob, ada);
    await sees(ada, bob);
});

test('what is said while subscriptions are cut arrives when they are back', async () => {
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(other, room)];
    for (let i = 0; i < 10; i++) {
        await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        type(i % 2 === 0 ? ada : bob, `${i} `);
        await reads(i % 2 === 0 ? bob : ada, textOf(i % 2 === 0 ? ada : bob));
    }
    assert.equal(textOf(ada), '0 1 2 3 4 5 6 7 8 9 ');
});

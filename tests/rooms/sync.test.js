// What a room says on the wire, to unmodified providers and to bare sockets, and who is not let in.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import * as Y from 'yjs';
import { until } from '../integration/lib/process.js';
import { startRedis } from '../integration/lib/redis.js';
import {
    fence,
    freshRoom,
    join,
    joined,
    knock,
    leaveAll,
    openSocket,
    openedSocket,
} from './lib/clients.js';
import * as frames from './lib/frames.js';
import { startHouse } from './lib/house.js';

let redis;
let house;
let other; // a second daemon with the same Redis
const extra = []; // daemons of a single test
before(async () => {
    redis = await startRedis();
    house = await startHouse(redis);
    other = await startHouse(redis);
});
afterEach(async () => {
    leaveAll();
    for (const each of extra.splice(0)) await each.stop();
});
after(async () => {
    const codes = [await house?.stop(), await other?.stop()];
    await redis?.stop();
    assert.deepEqual(codes, [0, 0], `${house?.daemon.log}\n${other?.daemon.log}`);
});

async function daemonWith(...args) {
    const started = await startHouse(redis, args);
    extra.push(started);
    return started;
}

const textOf = (client) => client.doc.getText('t').toString();

function type(client, words, at = 0) {
    client.doc.getText('t').insert(at, words);
}

function reads(client, words) {
    return until(`"${words}"`, () => textOf(client) === words);
}

// One letter by client `id`, as the update of a socket that has no document.
function letter(id, text = 'a') {
    const doc = new Y.Doc();
    doc.clientID = id;
    doc.getText('t').insert(0, text);
    return Y.encodeStateAsUpdate(doc);
}

function textIn(update) {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, update);
    return doc.getText('t').toString();
}

// --- sharing -------------------------------------------------------------------------------------

test('two providers share text, map, array and xml, both ways', async () => {
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(house, room)];
    ada.doc.getText('t').insert(0, 'bold 😀', { bold: true });
    ada.doc.getText('t').insertEmbed(0, { image: 'i.png' });
    ada.doc.getMap('m').set('k', new Y.Map([['deep', [1, null, 2.5, 'ä']]]));
    bob.doc.getArray('a').insert(0, ['one', new Y.Text('inner'), { two: 2 }]);
    const element = new Y.XmlElement('p');
    element.setAttribute('class', 'x');
    element.insert(0, [new Y.XmlText('hello')]);
    bob.doc.getXmlFragment('x').insert(0, [element]);
    for (const { doc } of [ada, bob]) {
        await until('all four', () => {
            const map = doc.getMap('m').get('k');
            return map !== undefined && doc.getText('t').length === 8 && doc.getArray('a').length;
        });
        await until('the xml', () => doc.getXmlFragment('x').toString().includes('hello'));
        assert.deepEqual(doc.getText('t').toDelta(), [
            { insert: { image: 'i.png' } },
            { insert: 'bold 😀', attributes: { bold: true } },
        ]);
        assert.deepEqual(doc.getMap('m').toJSON(), { k: { deep: [1, null, 2.5, 'ä'] } });
        assert.deepEqual(doc.getArray('a').toJSON(), ['one', 'inner', { two: 2 }]);
        assert.equal(doc.getXmlFragment('x').toString(), '<p class="x">hello</p>');
    }
    bob.doc.getText('t').delete(0, 3);
    bob.doc.getMap('m').delete('k');
    bob.doc.getArray('a').delete(1, 2);
    bob.doc.getXmlFragment('x').get(0).delete(0, 1);
    await until(
        'the removals',
        () => ada.doc.getXmlFragment('x').toString() === '<p class="x"></p>',
    );
    assert.equal(textOf(ada), 'ld 😀');
    assert.deepEqual(ada.doc.getMap('m').toJSON(), {});
    assert.deepEqual(ada.doc.getArray('a').toJSON(), ['one']);
});

test('rooms do not hear each other', async () => {
    const [here, there] = [freshRoom(), freshRoom()];
    const [ada, bob] = [await joined(house, here), await joined(house, there)];
    const spy = await openedSocket(house, there);
    await fence(spy);
    type(ada, 'here');
    const carl = await joined(house, here);
    await reads(carl, 'here');
    type(bob, 'there');
    await spy.next('an update', frames.isUpdate);
    assert.equal(textOf(bob), 'there');
    const updates = spy.wire.filter(frames.isUpdate);
    assert.deepEqual(
        updates.map(({ bytes }) => textIn(bytes)),
        ['there'],
    );
});

test('awareness both ways, and gone when its owner leaves or is cut off', async () => {
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(house, room)];
    const statesAt = (who) => who.provider.awareness.getStates();
    ada.provider.awareness.setLocalStateField('user', { name: 'Ada' });
    bob.provider.awareness.setLocalStateField('user', { name: '<b>Bob</b>' });
    await until('Ada', () => statesAt(bob).get(ada.doc.clientID)?.user?.name === 'Ada');
    await until('Bob', () => statesAt(ada).get(bob.doc.clientID)?.user?.name === '<b>Bob</b>');
    ada.provider.disconnect();
    await until('Ada to be gone', () => !statesAt(bob).has(ada.doc.clientID));
    ada.provider.connect();
    ada.provider.awareness.setLocalStateField('user', { name: 'Ada again' });
    await until('Ada again', () => statesAt(bob).has(ada.doc.clientID));
    const carl = await joined(house, room);
    carl.provider.awareness.setLocalStateField('user', { name: 'Carl' });
    await until('Carl', () => statesAt(bob).has(carl.doc.clientID));
    carl.cut();
    carl.leave();
    await until('Carl to be gone', () => !statesAt(bob).has(carl.doc.clientID));
    assert.ok(statesAt(bob).has(ada.doc.clientID));
});

test('a fresh joiner has the whole room at its first sync', async () => {
    const room = freshRoom();
    const ada = await joined(house, room);
    for (let i = 0; i < 20; i++) {
        type(ada, `${i} `);
        const watcher = await joined(house, room);
        await reads(watcher, textOf(ada));
        const bob = await joined(house, room);
        assert.equal(bob.atSync, textOf(ada));
        watcher.leave();
        bob.leave();
    }
});

test('what was typed while offline reaches the room, and the other way', async () => {
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(house, room)];
    type(ada, 'both');
    await reads(bob, 'both');
    ada.provider.disconnect();
    await until('Ada to be off', () => !ada.provider.wsconnected && ada.provider.ws === null);
    type(ada, 'offline, ');
    type(bob, ' online', 4);
    ada.provider.connect();
    for (const who of [ada, bob]) await reads(who, 'offline, both online');
});

test('a joiner of another daemon has the whole room at its first sync, then both go on', async () => {
    const room = freshRoom();
    const [ada, watcher] = [await joined(house, room), await joined(house, room)];
    type(ada, 'from the first');
    await reads(watcher, 'from the first');
    const bob = await joined(other, room);
    assert.equal(bob.atSync, 'from the first');
    type(bob, 'to and ');
    await reads(ada, 'to and from the first');
    type(ada, ' daemon', textOf(ada).length);
    await reads(bob, 'to and from the first daemon');
    bob.provider.awareness.setLocalStateField('user', { name: 'Bob' });
    const seen = () => ada.provider.awareness.getStates().has(bob.doc.clientID);
    await until('Bob on the other daemon', seen);
    bob.provider.disconnect();
    await until('Bob to be gone', () => !seen());
});

test('large and empty: 900 KB in one edit, and a provider that changes nothing', async () => {
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(house, room)];
    const large = randomBytes(450_000).toString('hex');
    type(ada, large);
    await reads(bob, large);
    const carl = await joined(house, room);
    assert.equal(carl.atSync, large);
});

// --- the frames ----------------------------------------------------------------------------------

test('first step 1, then the awareness of those who are there', async () => {
    const room = freshRoom();
    const first = await openedSocket(house, room);
    await first.next('step 1', frames.isStep1);
    assert.deepEqual([...first.wire[0].bytes], [0], 'the state vector of an empty room');
    first.send(frames.awareness({ client: 7, clock: 3, state: { user: { name: 'seven' } } }));
    first.send(frames.update(letter(7)));
    await fence(first);
    assert.ok(
        first.wire.slice(1, -1).every((message) => !frames.isPresence(message)),
        'awareness although nobody else is there',
    );
    const second = await openedSocket(house, room);
    await second.next('awareness', frames.isPresence);
    const [hello, people] = second.wire;
    assert.ok(frames.isStep1(hello));
    assert.deepEqual([...hello.bytes], [1, 7, 1]);
    assert.ok(frames.isPresence(people), 'the second frame');
    assert.deepEqual(people.entries, [{ client: 7, clock: 3, state: { user: { name: 'seven' } } }]);
});

test('each step 1 is answered by one step 2, with what is missing, even when that is nothing', async () => {
    const room = freshRoom();
    const socket = await openedSocket(house, room);
    assert.deepEqual([...(await fence(socket)).bytes], [0, 0]);
    socket.send(frames.update(letter(9, 'nine')));
    assert.equal(textIn((await fence(socket)).bytes), 'nine');
    const from = socket.seen.length;
    socket.send(frames.step1(Uint8Array.of(1, 9, 4)), frames.step1(), frames.step1());
    await until('three answers', () => socket.seen.slice(from).filter(frames.isStep2).length >= 3);
    await fence(socket);
    const answers = socket.seen.slice(from).filter(frames.isStep2);
    assert.equal(answers.length, 4);
    assert.deepEqual([...answers[0].bytes], [0, 0]);
    assert.equal(textIn(answers[1].bytes), 'nine');
});

test('nothing is echoed to its sender, nothing known is relayed', async () => {
    const room = freshRoom();
    const [sender, witness] = [await openedSocket(house, room), await openedSocket(house, room)];
    await Promise.all([fence(sender), fence(witness)]);
    const from = { sender: sender.seen.length, witness: witness.seen.length };
    const state = { user: { name: 'x' } };
    sender.send(frames.update(letter(11, 'once')));
    sender.send(frames.update(letter(11, 'once')));
    sender.send(frames.step2(letter(11, 'once')));
    sender.send(frames.awareness({ client: 11, clock: 1, state }));
    sender.send(frames.awareness({ client: 11, clock: 1, state }));
    sender.send(frames.step2(Uint8Array.of(0, 0)));
    await fence(sender);
    await witness.next('awareness', frames.isPresence, from.witness);
    sender.send(frames.update(letter(12, 'end')));
    await until(
        'two updates',
        () => witness.seen.slice(from.witness).filter(frames.isUpdate).length >= 2,
    );
    await fence(sender);
    const heard = sender.seen.slice(from.sender).filter((m) => frames.isUpdate(m));
    assert.deepEqual(heard, [], 'an update came back to its sender');
    const states = sender.seen.slice(from.sender).filter((m) => frames.isPresence(m));
    assert.deepEqual(states, [], 'a state came back to its sender');
    const relayed = witness.seen.slice(from.witness);
    assert.deepEqual(
        relayed.filter(frames.isUpdate).map(({ bytes }) => textIn(bytes)),
        ['once', 'end'],
    );
    assert.deepEqual(
        relayed.filter(frames.isPresence).map(({ entries }) => entries),
        [[{ client: 11, clock: 1, state }]],
    );
});

test('a query for awareness is answered with all who are there', async () => {
    const room = freshRoom();
    const [seven, eight] = [await openedSocket(house, room), await openedSocket(house, room)];
    seven.send(frames.awareness({ client: 7, clock: 1, state: { a: 1 } }));
    eight.send(frames.awareness({ client: 8, clock: 1, state: { b: 2 } }));
    await seven.next('eight', (m) => frames.isPresence(m) && m.entries[0].client === 8);
    const asker = await openedSocket(house, room);
    await fence(asker);
    const from = asker.seen.length;
    asker.send(frames.query());
    const { entries } = await asker.next('an answer', frames.isAwareness, from);
    assert.deepEqual(
        entries.map(({ client, state }) => [client, state]).sort(([a], [b]) => a - b),
        [
            [7, { a: 1 }],
            [8, { b: 2 }],
        ],
    );
});

test('messages of unknown type are ignored', async () => {
    const room = freshRoom();
    const [socket, witness] = [await openedSocket(house, room), await openedSocket(house, room)];
    await Promise.all([fence(socket), fence(witness)]);
    const from = witness.seen.length;
    for (const bytes of [[4], [5, 1, 2, 3], [99], [100, 2, 0x7b, 0x7d], [0xff, 0xff, 3, 9]])
        socket.send(Uint8Array.from(bytes));
    socket.send(frames.update(letter(3, 'still here')));
    assert.equal(textIn((await fence(socket)).bytes), 'still here');
    await witness.next('the update', frames.isUpdate, from);
    await fence(witness);
    assert.equal(socket.closed, null);
    const relayed = witness.seen.slice(from).filter((m) => !frames.isStep2(m));
    assert.equal(relayed.length, 1, 'something unknown was relayed');
});

test('who sends nonsense is sent away alone, and nothing of it is kept', async () => {
    const room = freshRoom();
    const [ada, bob] = [await joined(house, room), await joined(house, room)];
    type(ada, 'kept');
    await reads(bob, 'kept');
    const nonsense = {
        'an update cut short': frames.update(letter(5)).slice(0, -2),
        'an unknown content': frames.update(Uint8Array.of(1, 1, 5, 0, 31, 1, 1, 116, 1, 97, 0)),
        'invalid UTF-8': frames.update(Uint8Array.of(1, 1, 5, 0, 4, 1, 1, 116, 1, 0xff, 0)),
        'no body': Uint8Array.of(0),
        'nothing at all': new Uint8Array(0),
        'awareness that is no JSON': Uint8Array.of(1, 5, 1, 5, 1, 1, 0x7b),
        'a text frame': 'hello',
    };
    for (const [what, bytes] of Object.entries(nonsense)) {
        const socket = await openedSocket(house, room);
        await fence(socket);
        socket.ws.send(bytes);
        const code = await until(`a close for ${what}`, () => socket.closed);
        assert.ok([1002, 1003, 1007, 1008].includes(code), `${what}: close code ${code}`);
    }
    type(bob, ' on', 4);
    await reads(ada, 'kept on');
    const carl = await joined(house, room);
    assert.equal(carl.atSync, 'kept on');
});

test('a message of more than 1 MB closes its sender with 1009', async () => {
    const socket = await openedSocket(house, freshRoom());
    await fence(socket);
    socket.ws.send(new Uint8Array(1_100_000));
    assert.equal(await until('the close', () => socket.closed), 1009);
});

// --- silence -------------------------------------------------------------------------------------

test('who hears nothing else hears an empty awareness frame, again and again', async () => {
    const quick = await daemonWith('--keepalive-ms', '300');
    const room = freshRoom();
    const silent = await openedSocket(quick, room);
    const isKeepalive = (bytes) => Buffer.from([1, 1, 0]).equals(bytes);
    await until('three keepalives', () => silent.bytes.filter(isKeepalive).length >= 3);
    assert.deepEqual(
        silent.wire.slice(1).filter((m) => !frames.isAwareness(m) || m.entries.length > 0),
        [],
    );
    const idle = await joined(quick, room, { quiet: true });
    const before = idle.provider.wsLastMessageReceived;
    await until('the provider to hear it', () => idle.provider.wsLastMessageReceived > before);
    assert.ok(idle.provider.wsconnected);
    assert.equal(silent.failure, null);
});

// --- refusals ------------------------------------------------------------------------------------

const REFUSALS = [
    ['a room id with a dot', '/collab/a.b', {}, [400, 404]],
    ['an escaped room id', '/collab/a%62', {}, [400, 404]],
    ['a room id of 65 characters', `/collab/${'x'.repeat(65)}`, {}, [400, 404]],
    ['no room id', '/collab/', {}, [400, 404]],
    ['no room at all', '/collab', {}, [404]],
    ['a path below a room', '/collab/room/more', {}, [400, 404]],
    ['another path', '/elsewhere/room', {}, [400, 404]],
    ['a foreign origin', '/collab/room', { Origin: 'http://evil.example' }, [403]],
    ['the origin null', '/collab/room', { Origin: 'null' }, [403]],
    ['version 8', '/collab/room', { 'Sec-WebSocket-Version': '8' }, [426]],
    ['version 013', '/collab/room', { 'Sec-WebSocket-Version': '013' }, [426]],
    ['no version', '/collab/room', { 'Sec-WebSocket-Version': undefined }, [426]],
    ['no key', '/collab/room', { 'Sec-WebSocket-Key': undefined }, [400]],
    ['a key of 8 bytes', '/collab/room', { 'Sec-WebSocket-Key': 'AAAAAAAAAAA=' }, [400]],
    ['an empty key', '/collab/room', { 'Sec-WebSocket-Key': '' }, [400]],
    [
        'no upgrade',
        '/collab/room',
        Object.fromEntries(
            ['Upgrade', 'Connection', 'Sec-WebSocket-Version', 'Sec-WebSocket-Key'].map((name) => [
                name,
                undefined,
            ]),
        ),
        [400, 426],
    ],
];

for (const [what, path, headers, statuses] of REFUSALS) {
    test(`refused at the upgrade: ${what}`, async () => {
        const answer = await knock(house, path, { headers });
        assert.ok(statuses.includes(answer.status), `status ${answer.status}`);
        if (statuses[0] === 426) assert.equal(answer.headers['sec-websocket-version'], '13');
    });
}

test('refused: POST, with what is allowed', async () => {
    const headers = { 'Content-Length': '0' };
    const answer = await knock(house, '/collab/room', { method: 'POST', headers });
    assert.equal(answer.status, 405);
    assert.match(answer.headers.allow, /\bGET\b/);
    const plain = { 'Content-Length': '0', Upgrade: undefined, Connection: undefined };
    assert.equal(
        (await knock(house, '/collab/room', { method: 'POST', headers: plain })).status,
        405,
    );
});

test('let in: the upgrade as RFC 6455 has it, ids of 1 and 64 characters, with and without origin', async () => {
    const answer = await knock(house, `/collab/${freshRoom()}`);
    assert.equal(answer.status, 101);
    assert.equal(answer.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.equal(answer.headers['sec-websocket-protocol'], undefined);
    assert.equal(answer.headers['sec-websocket-extensions'], undefined);
    const ids = ['x', 'A-z_9', 'y'.repeat(64)];
    for (const id of ids) assert.equal((await knock(house, `/collab/${id}`)).status, 101, id);
    assert.equal((await knock(house, `/collab/${freshRoom()}?token=a%20b`)).status, 101);
    const programs = await knock(house, `/collab/${freshRoom()}`, {
        headers: { Origin: undefined },
    });
    assert.equal(programs.status, 101, 'no origin: not a browser');
});

test('a room takes 200 people, and one more when one has left', async () => {
    const room = freshRoom();
    const people = await Promise.all(Array.from({ length: 200 }, () => openedSocket(house, room)));
    await Promise.all(people.map((each) => each.next('step 1', frames.isStep1)));
    const refused = await knock(house, `/collab/${room}`);
    assert.equal(refused.status, 503);
    assert.equal((await knock(house, `/collab/${freshRoom()}`)).status, 101);
    people[0].leave();
    await until('a free place', async () => (await knock(house, `/collab/${room}`)).status === 101);
    assert.ok(people.slice(1).every(({ closed }) => closed === null));
});

test('too many new rooms in a minute are 429; a room that is there may be joined', async () => {
    const strict = await daemonWith('--rooms-per-minute', '3');
    const room = freshRoom();
    await openedSocket(strict, room);
    for (let i = 0; i < 2; i++) await openedSocket(strict, freshRoom());
    const refused = await knock(strict, `/collab/${freshRoom()}`);
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers['retry-after']) >= 1);
    assert.equal((await knock(strict, `/collab/${room}`)).status, 101);
});

test('a provider that is refused asks less and less often', async () => {
    const client = join(house, 'not.a.room', { connect: false });
    const times = [];
    let connections = 0;
    client.provider.on('status', ({ status }) => (connections += status === 'connected'));
    client.provider.on('connection-close', () => times.push(Date.now()));
    client.provider.connect();
    await until('five refusals', () => times.length >= 5);
    assert.equal(connections, 0);
    const gaps = times.slice(1).map((time, i) => time - times[i]);
    assert.ok(gaps[3] > gaps[0] * 2, `gaps of ${gaps} ms`);
});

test('Redis away: a room that must be loaded is 503, one that is open goes on', async () => {
    const spare = await startRedis();
    const lone = await startHouse(spare);
    try {
        const room = freshRoom();
        const [ada, bob] = [await joined(lone, room), await joined(lone, room)];
        type(ada, 'before');
        await reads(bob, 'before');
        await spare.kill();
        const refused = await until('a refusal', async () => {
            const answer = await knock(lone, `/collab/${freshRoom()}`);
            return answer.status !== 101 && answer;
        });
        assert.equal(refused.status, 503);
        assert.ok(Number(refused.headers['retry-after']) >= 1);
        type(ada, 'while away, ');
        await reads(bob, 'while away, before');
        const carl = await joined(lone, room);
        assert.equal(carl.atSync, 'while away, before');
        await spare.up();
        await until(
            'new rooms again',
            async () => (await knock(lone, `/collab/${freshRoom()}`)).status === 101,
        );
    } finally {
        leaveAll();
        await lone.stop();
        await spare.stop();
    }
});

test('SIGTERM closes the sockets with 1001 and ends cleanly', async () => {
    const ending = await daemonWith();
    const sockets = [openSocket(ending, freshRoom()), openSocket(ending, freshRoom())];
    for (const socket of sockets) await socket.next('step 1', frames.isStep1);
    assert.equal(await ending.stop(), 0, ending.daemon.log);
    for (const socket of sockets) assert.equal(await until('the close', () => socket.closed), 1001);
});

// Hostile clients, a row of hostile_table.js each: what becomes of them, that nothing of it is
// applied or relayed, and that two people in the same room and two in another work on meanwhile.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as Y from 'yjs';
import { startRedis } from '../integration/lib/redis.js';
import { alone, attack, figure, inspect, neverReading, startWork } from './hostile.js';
import { ENDED, ROOM_BYTES, table } from './hostile_table.js';
import { fence, leaveAll, openedSocket } from './lib/clients.js';
import { startHouse } from './lib/house.js';

let redis;
let house;
let work;
const slow = new Map(); // rows that take their time: they run beside the others
before(async () => {
    redis = await startRedis();
    house = await startHouse(redis, ['--room-bytes', String(ROOM_BYTES)]);
    work = await startWork(house);
    for (const row of table.filter((each) => each.slow))
        slow.set(row, attack(house, work.room, row));
});
after(async () => {
    leaveAll();
    await work?.end();
    const code = await house?.stop();
    await redis?.stop();
    assert.equal(code, 0, house?.daemon.log.slice(-4000));
});

let traces = []; // what an earlier row has left is not said again of each later one

for (const row of [...table].sort((a, b) => Boolean(a.slow) - Boolean(b.slow))) {
    test(`${row.name}: ${row.expect}`, async () => {
        work.row = row.name;
        const told = work.leaks.length;
        const found = await (slow.get(row) ?? attack(house, work.room, row));
        if (row.expect === ENDED) await alone(house, work.room);
        const left = await inspect(house, work.room);
        await work.fence();
        const news = left.filter((trace) => !traces.includes(trace));
        traces = left;
        assert.equal(found, row.expect);
        assert.deepEqual(news, [], 'something of it is in the room');
        assert.deepEqual(work.leaks.slice(told), [], 'something of it was relayed');
    });
}

test('all rows have names of their own, and there are enough of them', () => {
    assert.equal(new Set(table.map(({ name }) => name)).size, table.length);
    assert.ok(table.length >= 150);
});

test('those who worked have all of each other, and so has who comes now', async () => {
    work.row = 'the end';
    const { edits, texts } = await work.stop();
    assert.ok(edits >= table.length, `only ${edits} edits`);
    for (const [room, text] of Object.entries(texts)) {
        const doc = new Y.Doc();
        const fresh = await openedSocket(house, room);
        Y.applyUpdate(doc, (await fence(fresh)).bytes);
        assert.equal(doc.getText('t').toString(), text);
    }
    assert.deepEqual(work.leaks, []);
});

test('who does not read while 24 MB pass loses his queue, and has it all when he reads', async () => {
    const before = await figure(house, 'vve_room_lagged_total');
    const { end } = await neverReading(house, 24);
    const lagged = (await figure(house, 'vve_room_lagged_total')) - before;
    assert.ok(lagged >= 1, 'his queue was never cut short');
    await end();
});

// Six unmodified providers edit one room at random, while they are cut off, leave and come back, and
// while daemons or Redis fail; in the end all of them, and whoever comes new, hold the same.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import * as Y from 'yjs';
import { until } from '../integration/lib/process.js';
import { freshRoom, join, synced } from './lib/clients.js';
import { editor, random, roots } from './lib/edits.js';

const PEOPLE = 6;
const EQUAL_MS = 60_000;

// --- what a document holds -------------------------------------------------------------------------

const sorted = (map) => [...map].sort(([a], [b]) => a - b);

function readable(doc) {
    const { t, a, m, x } = roots(doc);
    return { t: t.toString(), a: a.toJSON(), m: m.toJSON(), x: x.toString() };
}

function contents(doc) {
    const { clients } = Y.createDeleteSetFromStructStore(doc.store);
    const deleted = sorted(clients).map(([client, ranges]) => [
        client,
        ranges.map(({ clock, len }) => [clock, len]),
    ]);
    return {
        vector: sorted(Y.decodeStateVector(Y.encodeStateVector(doc))),
        deleted,
        pending: doc.store.pendingStructs !== null || doc.store.pendingDs !== null,
        delta: doc.getText('t').toDelta(),
        ...readable(doc),
    };
}

// Objects whose keys came in another order are the same.
function same(a, b) {
    try {
        assert.deepEqual(a, b);
        return true;
    } catch {
        return false;
    }
}

// Cheap enough to be asked often: what differs while edits are still on their way.
function roughly(doc) {
    return JSON.stringify(sorted(Y.decodeStateVector(Y.encodeStateVector(doc))));
}

function allEqual(docs) {
    const first = roughly(docs[0]);
    if (!docs.every((doc) => roughly(doc) === first)) return false;
    const whole = contents(docs[0]);
    return !whole.pending && docs.slice(1).every((doc) => same(contents(doc), whole));
}

// Who holds the same as whom, and of each field that differs, the place where one document first
// differs from the first.
function differences(docs) {
    const all = docs.map(contents);
    const alike = all.map((each) => all.findIndex((other) => same(each, other)));
    const lines = [`each holds the same as number ${alike.join(' ')}`];
    for (const field of Object.keys(all[0])) {
        const texts = all.map((each) => JSON.stringify(each[field]));
        const other = all.findIndex((each) => !same(each[field], all[0][field]));
        if (other < 0) continue;
        let at = 0;
        while (texts[0][at] === texts[other][at]) at++;
        const part = (i) =>
            `${field} of ${i}: ...${texts[i].slice(Math.max(0, at - 40), at + 120)}`;
        lines.push(part(0), part(other));
    }
    return lines.join('\n');
}

async function becomeEqual(what, docs) {
    await until(what, () => allEqual(docs), EQUAL_MS).catch((error) => {
        throw new Error(`${error.message}\n${differences(docs)}`);
    });
}

function assertNothingDoubled(doc) {
    const tags = JSON.stringify(readable(doc)).match(/#[0-9a-z]+\.[0-9a-z]{4};/g) ?? [];
    const seen = new Set();
    for (const tag of tags) {
        assert.ok(!seen.has(tag), `${tag} is there twice`);
        seen.add(tag);
    }
}

// --- faults ----------------------------------------------------------------------------------------

// Each runs beside the editing and ends by itself, with everything up again. { houses, redis, r }.
export const faults = {
    async none() {},
    // One or two restarts, in order or by SIGKILL.
    async restarts({ houses, r }) {
        for (let left = 1 + r.below(2); left > 0; left--) {
            await pause(50 + r.below(300));
            const house = r.pick(houses);
            await (r.chance(0.5) ? house.kill() : house.stop());
            await house.start();
        }
    },
    async redisAway({ redis, r }) {
        await pause(300 + r.below(700));
        redis.server.signal(r.chance(0.5) ? 'SIGKILL' : 'SIGTERM');
        await redis.server.exit;
        await pause(5000);
        await redis.up();
        await pause(300);
    },
    async pubsubKilled({ redis }) {
        for (let second = 0; second < 4; second++) {
            await pause(1000);
            await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        }
    },
    async daemonsKilled({ houses, r }) {
        for (let kill = 0; kill < 3; kill++) {
            const next = pause(2000);
            const house = r.pick(houses);
            await house.kill();
            await house.start({ ready: false });
            await next;
        }
    },
};

// --- a round ---------------------------------------------------------------------------------------

function disturb(r, client) {
    if (r.chance(0.4)) client.cut();
    else if (client.provider.shouldConnect) client.provider.disconnect();
    else client.provider.connect();
}

// At the pace of fast typing; once there is enough, slower, until the fault is over.
async function editAtRandom({ r, people, edits, isOver }) {
    const { edit } = editor(r);
    for (let done = 0; done < edits || !isOver(); done++) {
        const { doc } = r.pick(people);
        if (r.chance(0.07)) disturb(r, r.pick(people));
        else if (r.chance(0.1)) doc.transact(() => [1, 2, 3].forEach(() => edit(doc)));
        else edit(doc);
        await pause(done < edits ? r.below(6) : 40);
    }
}

async function assertFreshEqual(houses, room, known) {
    for (const house of houses) {
        const fresh = join(house, room);
        let first;
        fresh.provider.once('sync', () => (first = readable(fresh.doc)));
        await synced(fresh, EQUAL_MS);
        assert.deepEqual(first, readable(known), 'at the first sync of a fresh joiner');
        await becomeEqual('a fresh joiner to be equal', [fresh.doc, known]);
        fresh.leave();
    }
}

// Resolves with { room, doc }: what the room holds, in a document that nobody changes any more.
async function round({ houses, seed, edits, fault }) {
    const r = random(seed);
    const room = freshRoom();
    const people = Array.from({ length: PEOPLE }, (_, i) => join(houses[i % houses.length], room));
    try {
        for (const each of people) await synced(each, EQUAL_MS);
        await editAtRandom({ r, people, edits, isOver: () => fault.isOver });
        await fault.end;
        for (const { provider } of people) provider.connect();
        const docs = people.map(({ doc }) => doc);
        await until(
            'all to be connected',
            () => people.every(({ provider }) => provider.wsconnected && provider.synced),
            EQUAL_MS,
        );
        await becomeEqual('all six to be equal', docs);
        assertNothingDoubled(docs[0]);
        await assertFreshEqual(houses, room, docs[0]);
        await becomeEqual('all six to be equal still', docs);
        const doc = new Y.Doc();
        Y.applyUpdate(doc, Y.encodeStateAsUpdate(docs[0]));
        return { room, doc };
    } catch (error) {
        error.message = `seed ${seed}, room ${room}: ${error.message}`;
        throw error;
    } finally {
        for (const each of people) each.leave();
    }
}

// Rooms of these seeds at the same time, with one fault for all of them.
export async function rounds({ houses, redis, seeds, edits = 120, fault = faults.none }) {
    const running = { isOver: false };
    running.end = fault({ houses, redis, r: random(seeds[0] + 1) }).finally(() => {
        running.isOver = true;
    });
    const all = await Promise.allSettled([
        ...seeds.map((seed) => round({ houses, seed, edits, fault: running })),
        running.end,
    ]);
    const failed = all.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
    return all.slice(0, -1).map(({ value }) => value);
}

// All daemons anew: they have nothing but what Redis has.
export async function assertKept(houses, kept, end = (house) => house.kill()) {
    for (const house of houses) await end(house);
    for (const house of houses) await house.start();
    for (const { room, doc } of kept) await assertFreshEqual([houses[0]], room, doc);
}

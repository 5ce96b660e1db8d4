// The engine beside real Yjs: the same updates in the same order must leave the same bytes.
// YC_HISTORIES says how many random histories (2,000), YC_SEED where they start.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert/strict');
const Y = require('yjs');
const { Batch } = require('./driver.js');
const { history, random } = require('./history.js');

const histories = Number(process.env.YC_HISTORIES ?? 2000);
const firstSeed = Number(process.env.YC_SEED ?? Math.floor(Math.random() * 2 ** 31));
const BATCH = 100;

const hex = (bytes) => Buffer.from(bytes).toString('hex');

// One history: after each update state vector, state and JSON are compared, and what the engine
// calls news. Where Yjs tidies formats it makes an update of its own, which the engine gets like any
// other. While structs wait nothing is compared: of a chain of clients that wait for one another
// Yjs notes only the last wish, and so places some structs later than it could.
function play(batch, seed) {
    const { delivered } = history(seed);
    const reference = new Y.Doc({ guid: `${seed}` });
    let news = [];
    reference.on('update', (update) => news.push(update));
    batch.add('n');
    delivered.forEach((update, step) => {
        const where = `seed ${seed}, update ${step} of ${delivered.length}`;
        const same = (what, expected) => (status, result) => {
            assert.equal(status, 'ok', `${where}: ${what}`);
            if (!result.equals(expected))
                assert.equal(hex(result), hex(expected), `${where}: ${what}`);
        };
        const waited = reference.store.pendingStructs !== null;
        news = [];
        Y.applyUpdate(reference, update);
        const [first, ...tidied] = news;
        const waits = reference.store.pendingStructs !== null;
        const comparable = !waited && !waits && tidied.length === 0;
        batch.add('u', update, comparable ? same('news', first ?? new Uint8Array(0)) : null);
        tidied.forEach((tidy) => batch.add('u', tidy));
        if (waits) return;
        batch.add('v', null, same('state vector', Y.encodeStateVector(reference)));
        batch.add('s', null, same('state', Y.encodeStateAsUpdate(reference)));
        const readers = [
            ['2t', reference.getText('t')],
            ['0a', reference.getArray('a')],
            ['1m', reference.getMap('m')],
            ['4x', reference.getXmlFragment('x')],
        ];
        readers.forEach(([root, type]) => {
            const expected = JSON.stringify(type.toJSON());
            batch.add('j', Buffer.from(root), (status, result) => {
                assert.equal(status, 'ok', `${where}: JSON of ${root}`);
                const actual = result.toString();
                if (actual !== expected)
                    assert.deepEqual(JSON.parse(actual), JSON.parse(expected), `${where}: ${root}`);
            });
        });
    });
}

test(`${histories} random histories from seed ${firstSeed}`, () => {
    for (let seed = firstSeed; seed < firstSeed + histories; seed += BATCH) {
        const batch = new Batch();
        for (let i = seed; i < Math.min(seed + BATCH, firstSeed + histories); i++) play(batch, i);
        batch.run();
    }
});

// Siblings by the thousand, as clients leave that type at the front of a list for long, apart, with
// ids and right neighbours in every order.
test('crowds at one place', () => {
    const r = random(firstSeed);
    const batch = new Batch();
    for (let round = 0; round < 8; round++) {
        const reference = new Y.Doc();
        reference.getText('t').insert(0, 'abc');
        const base = Y.encodeStateAsUpdate(reference);
        batch.add('n');
        batch.add('u', base);
        const told = Array.from({ length: 4 }, (_, i) => {
            const doc = new Y.Doc();
            doc.clientID = i < 2 ? i + 1 : 1 + r.below(4294967295);
            Y.applyUpdate(doc, base);
            const reach = r.pick([1, 2, 4]);
            for (let n = 0; n < 400; n++) doc.getText('t').insert(r.below(reach), 'x');
            return Y.encodeStateAsUpdate(doc);
        });
        const parts = round % 2 ? [Y.mergeUpdates(told)] : told;
        parts.forEach((update) => {
            Y.applyUpdate(reference, update);
            batch.add('u', update);
            const state = Buffer.from(Y.encodeStateAsUpdate(reference));
            batch.add('s', null, (status, result) => {
                assert.equal(status, 'ok');
                assert.ok(result.equals(state), `seed ${firstSeed}, round ${round}`);
            });
        });
    }
    batch.run();
});

// Behind half as many clocks as there can be: one client has seen them, one has not.
test('places behind clocks by the billion', () => {
    const out = [1, 1, 5, 0, 1, 1, 1, 0x74, 0x80, 0x80, 0x80, 0x80, 8, 0]; // Deleted, 2^31 clocks
    const seen = new Y.Doc();
    const blind = new Y.Doc();
    [seen.clientID, blind.clientID] = [7, 9];
    Y.applyUpdate(seen, Uint8Array.from(out));
    seen.getText('t').insert(0, 'seen');
    blind.getText('t').insert(0, 'blind');
    const told = [seen, blind].map((doc) => Y.encodeStateAsUpdate(doc));
    for (const order of [told, [...told].reverse()]) {
        const reference = new Y.Doc();
        const batch = new Batch();
        batch.add('n');
        order.forEach((update) => {
            Y.applyUpdate(reference, update);
            batch.add('u', update);
        });
        const state = Buffer.from(Y.encodeStateAsUpdate(reference));
        batch.add('s', null, (status, result) =>
            assert.ok(status === 'ok' && result.equals(state)),
        );
        batch.add('t', null, (status, result) =>
            assert.equal(result.toString(), reference.getText('t').toString()),
        );
        batch.run();
    }
});

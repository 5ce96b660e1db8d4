// Updates without a document, beside real Yjs: the same bytes from merging, from taking the
// difference, and for the state vector. YC_SEED repeats a run.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert/strict');
const Y = require('yjs');
const { Batch, parts } = require('./driver.js');
const { history, random } = require('./history.js');

const histories = Number(process.env.YC_MERGES ?? 1000);
const firstSeed = Number(process.env.YC_SEED ?? Math.floor(Math.random() * 2 ** 31));

// Merges that came out with other bytes and the same meaning.
let other = 0;

const hex = (bytes) => Buffer.from(bytes).toString('hex');

function meaning(update) {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, update);
    const deletes = Y.createDeleteSetFromStructStore(doc.store);
    const json = [doc.getText('t'), doc.getArray('a'), doc.getMap('m'), doc.getXmlFragment('x')];
    return {
        vector: hex(Y.encodeStateVector(doc)),
        deletes: [...deletes.clients].sort(([a], [b]) => a - b),
        json: json.map((type) => type.toJSON()),
    };
}

// Where one input has clocks as collected and another still as items, Yjs compares the two as each
// smaller than the other, and its engine's sorting decides which it writes.
function sameMerge(seed, expected) {
    return (status, result) => {
        assert.equal(status, 'ok', `seed ${seed}: merge`);
        if (hex(result) === hex(expected)) return;
        other++;
        assert.deepEqual(meaning(result), meaning(expected), `seed ${seed}: merge`);
    };
}

function subset(r, list) {
    const chosen = list.filter(() => r.chance(0.5)).slice(0, 200);
    if (r.chance(0.5)) chosen.reverse();
    return chosen.length > 0 ? chosen : [list[0]];
}

function play(batch, seed) {
    const { delivered } = history(seed);
    if (delivered.length === 0) return;
    const r = random(seed + 1);
    const same = (what, expected) => (status, result) => {
        assert.equal(status, 'ok', `seed ${seed}: ${what}`);
        assert.equal(hex(result), hex(expected), `seed ${seed}: ${what}`);
    };
    const doc = new Y.Doc();
    subset(r, delivered).forEach((update) => Y.applyUpdate(doc, update));
    const vector = Y.encodeStateVector(doc);
    const first = Y.mergeUpdates(subset(r, delivered));
    const some = [first, ...subset(r, delivered), Y.encodeStateAsUpdate(doc)];
    const merged = Y.mergeUpdates(some);
    batch.add('m', parts(some), sameMerge(seed, merged));
    batch.add('f', parts([vector, merged]), same('difference', Y.diffUpdate(merged, vector)));
    batch.add('e', merged, same('state vector', Y.encodeStateVectorFromUpdate(merged)));
}

test(`${histories} random merges from seed ${firstSeed}`, () => {
    const batch = new Batch();
    for (let i = 0; i < histories; i++) play(batch, firstSeed + i);
    batch.run();
    assert.ok(other <= histories / 100, `${other} merges with other bytes`);
});

test('no updates give the empty update, one is given back', () => {
    const doc = new Y.Doc();
    doc.getText('t').insert(0, 'x');
    const update = Y.encodeStateAsUpdate(doc);
    const batch = new Batch();
    batch.add('m', parts([]), (_, result) => assert.equal(hex(result), '0000'));
    batch.add('m', parts([update]), (_, result) => assert.equal(hex(result), hex(update)));
    batch.run();
});

// Broken updates: each is refused or harmless, and one that is refused changes nothing.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert/strict');
const Y = require('yjs');
const { Batch, parts } = require('./driver.js');
const { readCases } = require('./cases.js');
const { history } = require('./history.js');

const firstSeed = Number(process.env.YC_SEED ?? Math.floor(Math.random() * 2 ** 31));

// Whether an update is refused with the document as it was; what is accepted stays in it.
function attempt(batch, update, count) {
    let before;
    let status;
    batch.add('s', null, (_, state) => (before = Buffer.from(state)));
    batch.add('u', update, (answer) => (status = answer));
    batch.add('s', null, (answer, state) => {
        assert.equal(answer, 'ok');
        if (status !== 'ok') assert.deepEqual(Buffer.from(state), before);
        count[status] = (count[status] ?? 0) + 1;
    });
    batch.add('m', parts([update, update]));
    batch.add('e', update);
}

function setUp(batch, updates) {
    batch.add('n');
    updates.forEach((update) => batch.add('u', update));
}

test(`updates cut at every byte, from seed ${firstSeed}`, () => {
    const batch = new Batch();
    const count = {};
    for (let seed = firstSeed; seed < firstSeed + 20; seed++) {
        const { updates } = history(seed);
        const whole = Y.mergeUpdates(updates);
        setUp(batch, updates.slice(0, updates.length / 2));
        for (let len = 0; len < whole.length; len++) attempt(batch, whole.subarray(0, len), count);
    }
    batch.run();
    assert.equal(count.ok, undefined);
    assert.ok(count.malformed > 1000);
});

test(`updates with one byte changed, from seed ${firstSeed}`, () => {
    const batch = new Batch();
    const count = {};
    for (let seed = firstSeed; seed < firstSeed + 20; seed++) {
        const { updates } = history(seed);
        const whole = Y.mergeUpdates(updates);
        for (let at = 0; at < whole.length; at++) {
            if (at % 50 === 0) setUp(batch, updates.slice(0, updates.length / 2));
            const changed = whole.slice();
            changed[at] ^= 1 << ((at + seed) % 8);
            attempt(batch, changed, count);
        }
    }
    batch.run();
    assert.ok(count.malformed > 500 && count.ok > 100, JSON.stringify(count));
});

// The last update of each case, over a document that holds those before it; what may become of it.
function eachCase(visit, outcomes) {
    for (const { name, updates } of readCases()) {
        const batch = new Batch();
        const count = {};
        visit(batch, updates.slice(0, -1), updates.at(-1), count);
        batch.run();
        assert.ok(count.malformed > 0, name);
        for (const outcome of Object.keys(count))
            assert.ok(outcomes.includes(outcome), `${name}: ${outcome}`);
    }
}

test('updates of the stored cases, cut at every byte', () => {
    eachCase(
        (batch, before, last, count) => {
            for (const update of [last, Y.mergeUpdates([...before, last])]) {
                setUp(batch, before);
                for (let len = 0; len < update.length; len++)
                    attempt(batch, update.subarray(0, len), count);
            }
        },
        ['malformed'],
    );
});

// Every bit of it, and all bits of a byte at once.
test('updates of the stored cases, with one byte changed', () => {
    eachCase(
        (batch, before, last, count) => {
            const whole = Y.mergeUpdates([...before, last]);
            const changes = [1, 2, 4, 8, 16, 32, 64, 128, 255];
            for (let at = 0; at < whole.length; at++) {
                setUp(batch, before);
                for (const change of changes) {
                    const changed = whole.slice();
                    changed[at] ^= change;
                    attempt(batch, changed, count);
                }
            }
        },
        ['malformed', 'limit', 'ok'],
    );
});

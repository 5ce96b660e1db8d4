// The stored cases: in the order they were stored in, updates leave the same bytes as in Yjs; in
// any other order the same clocks, deletes and content.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const Y = require('yjs');
const { Batch } = require('./driver.js');
const { FOLDER, readCases } = require('./cases.js');
const { makeCases } = require('./make_cases.js');
const { random } = require('./history.js');

const ALL_ORDERS_UP_TO = 5;
const SHUFFLES = 50;

const cases = readCases();
const hex = (bytes) => Buffer.from(bytes).toString('hex');

function permutations(list) {
    if (list.length < 2) return [list];
    return list.flatMap((first, i) =>
        permutations([...list.slice(0, i), ...list.slice(i + 1)]).map((rest) => [first, ...rest]),
    );
}

function shuffled(r, list) {
    const left = [...list];
    return list.map(() => left.splice(r.below(left.length), 1)[0]);
}

function orders(count) {
    const stored = Array.from({ length: count }, (_, i) => i);
    if (count <= ALL_ORDERS_UP_TO) return permutations(stored);
    return Array.from({ length: SHUFFLES }, (_, seed) => shuffled(random(seed), stored));
}

function begin(batch, updates, where) {
    batch.add('n');
    for (const update of updates)
        batch.add('u', update, (status) => assert.equal(status, 'ok', where));
}

function gives(batch, letter, expected, where) {
    batch.add(letter, null, (status, result) => {
        assert.equal(status, 'ok', `${where}: ${letter}`);
        assert.equal(hex(result), expected, `${where}: ${letter}`);
    });
}

function reads(batch, letter, argument, expected, where) {
    batch.add(letter, Buffer.from(argument), (status, result) => {
        assert.equal(status, 'ok', `${where}: ${letter} ${argument}`);
        assert.deepEqual(
            JSON.parse(result.toString()),
            expected,
            `${where}: ${letter} ${argument}`,
        );
    });
}

function comesToTheSame(batch, { expected }, where) {
    gives(batch, 'v', expected.stateVector, where);
    gives(batch, 'd', expected.deleteSet, where);
    for (const { kind, name, json, delta } of expected.roots) {
        reads(batch, 'j', kind + name, json, where);
        if (delta !== undefined) reads(batch, 'D', name, delta, where);
    }
}

for (const stored of cases) {
    test(stored.name, () => {
        const batch = new Batch();
        begin(batch, stored.updates, 'as stored');
        gives(batch, 's', stored.expected.state, 'as stored');
        comesToTheSame(batch, stored, 'as stored');
        for (const order of orders(stored.updates.length)) {
            const where = `order ${order}`;
            begin(
                batch,
                order.map((i) => stored.updates[i]),
                where,
            );
            comesToTheSame(batch, stored, where);
        }
        begin(batch, [Buffer.from(stored.expected.state, 'hex')], 'loaded again');
        comesToTheSame(batch, stored, 'loaded again');
        batch.run();
    });
}

test('the folders are what Yjs makes', () => {
    const made = new Map(makeCases());
    const found = fs
        .readdirSync(FOLDER)
        .flatMap((name) =>
            fs.readdirSync(path.join(FOLDER, name)).map((leaf) => `${name}/${leaf}`),
        );
    assert.deepEqual(found.sort(), [...made.keys()].sort());
    for (const [file, content] of made)
        assert.equal(hex(fs.readFileSync(path.join(FOLDER, file))), hex(content), file);
});

test('every kind of struct, content and type is in them', () => {
    const kinds = new Set();
    for (const { updates, expected } of cases) {
        for (const update of [...updates, Buffer.from(expected.state, 'hex')]) {
            for (const struct of Y.decodeUpdate(update).structs) {
                kinds.add((struct.content ?? struct).constructor.name);
                if (struct.content instanceof Y.ContentType)
                    kinds.add(struct.content.type.constructor.name);
            }
        }
    }
    const contents = [
        'Deleted',
        'JSON',
        'Binary',
        'String',
        'Embed',
        'Format',
        'Type',
        'Any',
        'Doc',
    ];
    const types = ['Array', 'Map', 'Text', 'XmlElement', 'XmlFragment', 'XmlHook', 'XmlText'];
    assert.deepEqual(
        [...kinds].sort(),
        [
            ...['GC', 'Skip'],
            ...contents.map((name) => `Content${name}`),
            ...types.map((name) => `Y${name}`),
        ].sort(),
    );
});

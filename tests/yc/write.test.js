// Writing with the engine beside real Yjs: a client of the engine and its twin in Yjs make the same
// edits among others' and must send the same bytes. So both libraries write in one history.
// YC_WRITE_HISTORIES says how many (500), YC_SEED where they start.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert/strict');
const Y = require('yjs');
const { Batch, parts, u32, u64 } = require('./driver.js');
const { random, edit } = require('./history.js');

const histories = Number(process.env.YC_WRITE_HISTORIES ?? 500);
const firstSeed = Number(process.env.YC_SEED ?? Math.floor(Math.random() * 2 ** 31));
const BATCH = 50;

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const json = (value) => Buffer.from(JSON.stringify(value));
const utf8 = (text) => Buffer.from(text);

const ROOTS = [
    ['t', 2, (doc) => doc.getText('t')],
    ['a', 0, (doc) => doc.getArray('a')],
    ['m', 1, (doc) => doc.getMap('m')],
    ['x', 4, (doc) => doc.getXmlFragment('x')],
];
const KINDS = [Y.Array, Y.Map, Y.Text, Y.XmlElement, Y.XmlFragment, Y.XmlHook, Y.XmlText];
const WORDS = ['a', 'be', 'x = 1\n', 'ä', '日本', 'a😀b', ' '];
// No objects among the values: Yjs compares those by identity, which no other client can know.
const ATTRIBUTES = [
    { bold: true },
    { bold: null },
    { color: 'red', bold: true },
    { color: null },
    { 'quo"te': 'é' },
    { size: 1.5 },
];
const VALUES = [null, true, 0, -1, 63, 64, 2 ** 31, 1.5, 0.1, 1e300, 'text', 'a"😀\n', [1, [2]]];
const OBJECTS = [{ a: { b: [null, -0.5] } }, {}, { ключ: '\u0001', z: [] }];
const KEYS = ['k', 'key', 'ключ', ''];

// Every type of a document with the commands that choose it.
function places(doc) {
    const found = ROOTS.map(([name, kind, get]) => ({
        type: get(doc),
        path: [['j', utf8(kind + name)]],
    }));
    for (let i = 0; i < found.length; i++) {
        const { type, path } = found[i];
        const inner = (child, step) =>
            child instanceof Y.AbstractType && found.push({ type: child, path: [...path, step] });
        type._map.forEach(
            (item, key) =>
                !item.deleted &&
                inner(item.content.getContent()[item.length - 1], ['k', utf8(key)]),
        );
        if (type instanceof Y.Array || type instanceof Y.XmlFragment)
            type.toArray().forEach((child, index) => inner(child, ['g', u32(index)]));
        if (type instanceof Y.Text)
            type.toDelta().reduce((index, { insert }) => {
                inner(insert, ['w', u32(index)]);
                return index + (typeof insert === 'string' ? insert.length : 1);
            }, 0);
    }
    return found;
}

// A value for Yjs, and the same for the engine.
function value(r, xml = false) {
    const chosen = r.below(xml ? 3 : 10);
    if (chosen === 0) return [new Y.XmlElement('P'), utf8('t3P')];
    if (chosen === 1) return [new Y.XmlText(), utf8('t6')];
    if (chosen === 2) return xml ? [new Y.XmlHook('h'), utf8('t5h')] : [new Y.Map(), utf8('t1')];
    if (chosen === 3) return [new Y.Text(), utf8('t2')];
    if (chosen === 4) return [new Y.Array(), utf8('t0')];
    if (chosen === 5) return [new Uint8Array([0, 7, 255]), Buffer.from([98, 0, 7, 255])];
    const number = (r.next() - 0.5) * 10 ** (r.below(600) - 300);
    if (chosen === 6) return ['plain "😀"', utf8('splain "😀"')];
    const plain = r.pick(r.chance(0.3) ? OBJECTS : r.chance(0.3) ? [number] : VALUES);
    return [plain, Buffer.concat([utf8('j'), json(plain)])];
}

// Now and then so many that they are no longer searched one by one.
function someAttributes(r) {
    if (r.chance(0.9)) return { ...r.pick(ATTRIBUTES) };
    const values = [true, null, 'v'];
    const names = Array.from({ length: 1 + r.below(60) }, () => `k${r.below(80)}`);
    return Object.fromEntries(names.map((name) => [name, r.pick(values)]));
}

function writeText(r, text, run) {
    const at = r.below(text.length + 1);
    const rest = text.length - at;
    const attributes = r.chance(0.3) ? someAttributes(r) : undefined;
    const told = attributes ? json(attributes) : Buffer.alloc(0);
    const embed = r.chance(0.5) ? { image: 'i.png' } : new Y.Map();
    if (rest > 0 && r.chance(0.3)) {
        const length = 1 + r.below(Math.min(rest, 8));
        run('X', [u32(at), u32(length)], () => text.delete(at, length));
    } else if (rest > 0 && r.chance(0.35)) {
        const length = 1 + r.below(rest);
        const given = someAttributes(r);
        run('F', [u32(at), u32(length), json(given)], () => text.format(at, length, given));
    } else if (r.chance(0.15)) {
        const bytes = embed instanceof Y.Map ? utf8('t1') : utf8('j' + JSON.stringify(embed));
        run('E', [u32(at), bytes, told], () => text.insertEmbed(at, embed, attributes));
    } else {
        const word = r.pick(WORDS);
        run('I', [u32(at), utf8(word), told], () => text.insert(at, word, attributes));
    }
}

function writeList(r, list, run) {
    const at = r.below(list.length + 1);
    const rest = list.length - at;
    if (rest > 0 && r.chance(0.35)) {
        const length = 1 + r.below(Math.min(rest, 4));
        run('X', [u32(at), u32(length)], () => list.delete(at, length));
        return;
    }
    const values = Array.from({ length: 1 + r.below(4) }, () =>
        value(r, list instanceof Y.XmlFragment),
    );
    run('A', [u32(at), ...values.map(([, bytes]) => bytes)], () =>
        list.insert(
            at,
            values.map(([chosen]) => chosen),
        ),
    );
}

function writeMap(r, type, run) {
    const key = r.pick(KEYS);
    if (r.chance(0.3)) {
        run('K', [utf8(key)], () =>
            type instanceof Y.Map ? type.delete(key) : type.removeAttribute(key),
        );
        return;
    }
    const [chosen, bytes] = type instanceof Y.Map ? value(r) : ['v', utf8('j"v"')];
    run('M', [utf8(key), bytes], () =>
        type instanceof Y.Map ? type.set(key, chosen) : type.setAttribute(key, chosen),
    );
}

function write(r, doc, batch, where) {
    const found = places(doc);
    const { type, path } = r.chance(0.5) ? found[0] : r.pick(found);
    const ok = (status) => assert.equal(status, 'ok', where);
    path.forEach(([letter, argument]) => batch.add(letter, argument, ok));
    const run = (letter, argument, act) => {
        batch.add(letter, Array.isArray(argument) ? parts(argument) : argument, ok);
        act();
    };
    const keyed = type instanceof Y.Map || r.chance(0.2);
    if (keyed && !(type instanceof Y.Array) && type.constructor !== Y.XmlFragment)
        writeMap(r, type, run);
    else if (type instanceof Y.Text) writeText(r, type, run);
    else writeList(r, type, run);
}

// The engine's client is the twin: what it hears goes to both, what it writes is compared.
function play(batch, seed) {
    const r = random(seed);
    const twin = { doc: new Y.Doc(), heard: 0 };
    const others = Array.from({ length: 1 + r.below(3) }, () => ({ doc: new Y.Doc(), heard: 0 }));
    const updates = [];
    [twin, ...others].forEach((client, i) => {
        client.doc.clientID = r.chance(0.5) ? i + 1 : 1 + r.below(4294967295);
        ROOTS.forEach(([, , get]) => get(client.doc));
        client.doc.on('update', (update, origin) => {
            if (origin !== 'peer') updates.push(update);
            client.sent = update;
            if (client === twin && client.hears) batch.add('u', update);
        });
    });
    batch.add('n');
    const hear = (client) => {
        client.hears = true;
        const end = updates.length;
        for (; client.heard < end; client.heard++)
            Y.applyUpdate(client.doc, updates[client.heard], 'peer');
        client.hears = false;
    };
    for (let step = 0; step < 40; step++) {
        const where = `seed ${seed}, step ${step}`;
        const client = r.chance(0.5) ? twin : r.pick(others);
        if (r.chance(0.3)) hear(client);
        else if (client !== twin) client.doc.transact(() => edit(r, client.doc));
        else {
            batch.add('b', u64(twin.doc.clientID));
            twin.sent = new Uint8Array(0);
            twin.doc.transact(() => {
                for (let n = r.chance(0.3) ? 4 : 1; n > 0; n--) write(r, twin.doc, batch, where);
            });
            const sent = twin.sent;
            batch.add('c', null, (status, result) => assert.equal(hex(result), hex(sent), where));
        }
        const state = Y.encodeStateAsUpdate(twin.doc);
        batch.add('s', null, (status, result) => assert.equal(hex(result), hex(state), where));
    }
    compareReading(batch, twin.doc, `seed ${seed}`);
}

// The values that an answer holds, as Yjs would have them.
function values(answer) {
    const found = [];
    for (let at = 0; at < answer.length;) {
        const length = answer.readUInt32LE(at + 1);
        const bytes = answer.subarray(at + 5, at + 5 + length);
        const form = answer[at] - 48;
        if (form === 0) found.push({ end: true });
        else if (form === 2) found.push({ text: bytes.toString() });
        else if (form === 3) found.push({ bytes: new Uint8Array(bytes) });
        else found.push({ [form === 1 ? 'json' : 'type']: JSON.parse(bytes.toString()) });
        at += 5 + length;
    }
    return found;
}

function expectedValue(element) {
    if (typeof element === 'string') return { text: element };
    if (element instanceof Uint8Array) return { bytes: element };
    const json = JSON.parse(JSON.stringify(element ?? null));
    return element instanceof Y.AbstractType ? { type: json } : { json };
}

function sameValue(element, where) {
    const expected = expectedValue(element);
    return (status, result) => {
        assert.equal(status, 'ok', where);
        assert.deepEqual(values(result), [expected], where);
    };
}

// A walk meets what toArray and toDelta have; text in runs of any length.
function sameWalk(type, where) {
    const elements =
        type instanceof Y.Text ? type.toDelta().map((op) => op.insert) : type.toArray();
    const join = (list) =>
        list.reduce((all, next) => {
            const last = all[all.length - 1];
            const joins = type instanceof Y.Text && next.text && last?.text;
            if (joins) last.text += next.text;
            else all.push({ ...next });
            return all;
        }, []);
    const expected = join([...elements.map(expectedValue), { end: true }]);
    return (status, result) => {
        assert.equal(status, 'ok', where);
        assert.deepEqual(join(values(result)), expected, where);
    };
}

// All that can be read of a document, beside what Yjs reads.
function compareReading(batch, doc, where) {
    for (const { type, path } of places(doc)) {
        path.forEach(([letter, argument]) => batch.add(letter, argument));
        const same = (expected) => (status, result) => {
            assert.equal(status, 'ok', where);
            assert.deepEqual(JSON.parse(result.toString()), expected, where);
        };
        const plain = (content) => JSON.parse(JSON.stringify(content));
        batch.add('J', null, same(plain(type.toJSON())));
        batch.add('L', null, (status, result) =>
            assert.equal(Number(result.readBigUInt64LE()), type._length, where),
        );
        if (type instanceof Y.Text) batch.add('R', null, same(plain(type.toDelta())));
        if (type instanceof Y.Text || type instanceof Y.XmlFragment)
            batch.add('T', null, (status, result) =>
                assert.equal(result.toString(), type.toString(), where),
            );
        else if (type instanceof Y.Array)
            type.toArray().forEach((element, index) =>
                batch.add('G', u32(index), sameValue(element, where)),
            );
        else type.forEach((element, key) => batch.add('Q', utf8(key), sameValue(element, where)));
        if (!(type instanceof Y.Map)) batch.add('W', null, sameWalk(type, where));
        const keys = [...type._map].filter(([, item]) => !item.deleted).map(([key]) => `${key}\n`);
        batch.add('N', null, (status, result) =>
            assert.deepEqual(
                result.toString().split('\n').sort(),
                keys.join('').split('\n').sort(),
            ),
        );
    }
}

test(`${histories} histories that the engine writes in, from seed ${firstSeed}`, () => {
    for (let seed = firstSeed; seed < firstSeed + histories; seed += BATCH) {
        const batch = new Batch();
        for (let i = seed; i < Math.min(seed + BATCH, firstSeed + histories); i++) play(batch, i);
        batch.run();
    }
});

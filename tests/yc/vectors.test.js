// Bytes that Yjs itself has printed (vectors.json): the engine makes the same edits, or applies,
// merges and cuts the same updates, and must come to the same bytes. The vectors are taken in the
// order of the file, each by its name, so that none is passed over; what is not about updates and
// state vectors is for tests/unit/test_yc_vectors.c.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert/strict');
const Y = require('yjs');
const { Batch, parts, u32, u64 } = require('./driver.js');
const vectors = require('./vectors.json');

const PRIMITIVE = /^(varUint|varInt|varString|any) /;
const FRAME = /^frame /;

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const bytes = (digits) => Buffer.from(digits, 'hex');
const none = Buffer.alloc(0);
const ARRAY = '0';
const MAP = '1';
const TEXT = '2';

let at = vectors.findIndex(({ name }) => !PRIMITIVE.test(name));
let batch;

// The next vector, which must have that name.
function next(name) {
    const vector = vectors[at++];
    assert.equal(vector?.name.trim(), name);
    return bytes(vector.hex);
}

function same(expected, what) {
    return (status, result) => {
        assert.equal(status, 'ok', what);
        assert.equal(hex(result), hex(expected), what);
    };
}

// A command whose result is the next vector.
function gives(letter, argument, name) {
    const expected = next(name);
    batch.add(letter, argument, same(expected, name));
    return expected;
}

const applies = (...updates) => updates.forEach((update) => batch.add('u', update));

function root(kind, name) {
    batch.add('j', Buffer.from(kind + name), (status) => assert.equal(status, 'ok', name));
}

// One transaction of commands; its update is the next vector, unless there is no name.
function writes(client, commands, name) {
    batch.add('b', u64(client));
    for (const [letter, ...argument] of commands) {
        const whole = ['g', 'k'].includes(letter) ? argument[0] : parts(argument);
        batch.add(letter, whole, (status) => assert.equal(status, 'ok', name));
    }
    if (name === undefined) {
        batch.add('c');
        return null;
    }
    return gives('c', null, name);
}

const insert = (index, text, attributes = '') => [
    'I',
    u32(index),
    Buffer.from(text),
    Buffer.from(attributes),
];
const remove = (index, length) => ['X', u32(index), u32(length)];
const values = (index, ...list) => ['A', u32(index), ...list.map((value) => Buffer.from(value))];
const set = (key, value) => ['M', Buffer.from(key), Buffer.from(value)];
const unset = (key) => ['K', Buffer.from(key)];

// A reader of these updates, one after the other, calls each of them news as it came.
function isNews(...updates) {
    batch.add('n');
    updates.forEach((update) => batch.add('u', update, same(update, `news ${hex(update)}`)));
}

// All that is done within an act has been run when it ends.
function scene(title, act) {
    test(title, () => {
        batch = new Batch();
        batch.add('n');
        act();
        batch.run();
    });
}

test('the primitive vectors come first', () => {
    assert.ok(at > 0);
    assert.ok(vectors.every(({ name }, i) => PRIMITIVE.test(name) === i < at));
});

scene('nothing', () => {
    gives('s', none, 'empty doc update');
    gives('v', null, 'empty doc state vector');
});

scene('text', () => {
    root(TEXT, 't');
    const a = writes(1, [insert(0, 'a')], "insert 'a' into empty root text 't', client 1");
    gives('v', null, 'its state vector');
    const b = writes(1, [insert(1, 'b')], "append 'b' (origin 1:0)");
    const c = writes(1, [insert(0, 'c')], "prepend 'c' (right origin 1:0 only)");
    const d = writes(1, [insert(2, 'd')], "insert 'd' between a and b (both origins)");
    const whole = gives('s', none, 'whole doc c a d b');
    const deleted = writes(1, [remove(1, 2)], 'delete 2 chars (a,d): delete set only');
    const collected = gives('s', none, 'whole doc after gc');
    const vector = gives('v', null, 'sv');
    isNews(a, b, c, d);
    batch.add('s', none, same(whole, 'applied'));
    applies(deleted);
    batch.add('s', none, same(collected, 'applied'));
    batch.add('e', collected, same(vector, 'state vector of an update'));
    isNews(collected);
});

scene('a client id of 32 bits', () => {
    root(TEXT, 'monaco');
    const name = "'a' in root 'monaco', client 0xfedcba98 (5 byte varuint)";
    isNews(writes(0xfedcba98, [insert(0, 'a')], name));
});

scene('surrogate pairs', () => {
    root(TEXT, 't');
    const text = writes(2, [insert(0, 'x😀y')], "'x😀y' (4 UTF-16 units, 6 UTF-8 bytes)");
    const deleted = writes(2, [remove(2, 1)], 'delete of unit 2 = low surrogate');
    const cut = gives('s', none, 'whole doc: split surrogates became U+FFFD');
    gives('t', null, 'toString');
    batch.add('n');
    applies(text, deleted);
    batch.add('s', none, same(cut, 'applied'));
    batch.add('n');
    applies(text);
    gives('s', bytes('010202'), "diff of 'x😀y' from clock 2 (cuts inside the pair)");
    gives('f', parts([bytes('010202'), text]), 'same by diffUpdate');
    const rest = gives('s', bytes('010201'), 'diff from clock 1');
    batch.add('f', parts([bytes('010201'), text]), same(rest, 'by diffUpdate too'));
});

scene('maps', () => {
    root(MAP, 'm');
    const first = writes(3, [set('k', 'j1')], 'map set k=1 (parentSub, ContentAny)');
    const name = "map set k='v' again (origin, BIT6 set but parentSub not written)";
    const second = writes(3, [set('k', 'j"v"')], name);
    const overwritten = gives('s', none, 'whole doc after overwrite');
    const deleted = writes(3, [unset('k')], 'map delete k');
    const whole = gives('s', none, 'whole doc');
    isNews(first, second, deleted);
    batch.add('s', none, same(whole, 'applied'));
    isNews(overwritten);
});

// What a client of the engine cannot write (undefined, documents) it takes in.
scene('arrays of all kinds of values', () => {
    const any = next('array of 4 any values');
    const updates = [any];
    applies(any);
    root(ARRAY, 'a');
    const write = (commands, name) => updates.push(writes(4, commands, name));
    write([['A', u32(0), Buffer.from([0x62, 0xff])]], 'ContentBinary');
    write([values(0, 't1')], 'ContentType YMap');
    const nested = "ContentType YText with child 'q' (parent by id)";
    write([values(0, 't2'), ['g', u32(0)], insert(0, 'q')], nested);
    const document = next('ContentDoc guid g autoLoad');
    updates.push(document);
    applies(document);
    root(ARRAY, 'a');
    write([values(0, 't3p')], 'XmlElement p');
    write([values(0, 't4', 't6', 't0')], 'XmlFragment, XmlText, YArray');
    write([values(0, 't5h')], 'XmlHook h');
    isNews(...updates);
});

scene('rich text', () => {
    root(TEXT, 'r');
    const bold = [insert(0, 'ab', '{"bold":true}')];
    const text = writes(5, bold, 'formatted insert (format, string, format null)');
    const embed = writes(5, [['E', u32(2), Buffer.from('j{"i":1}'), none]], 'embed');
    isNews(text, embed);
});

scene('collected content', () => {
    root(MAP, 'm');
    writes(6, [set('s', 't1')]);
    root(MAP, 'm');
    writes(6, [['k', Buffer.from('s')], set('x', 'j1')]);
    root(MAP, 'm');
    writes(6, [unset('s')]);
    const name = 'deleted nested map: ContentDeleted for the holder, GC for the child';
    const whole = gives('s', none, name);
    batch.add('n');
    applies(whole);
    batch.add('s', none, same(whole, 'applied'));
});

// The engine always collects, so it takes this as Yjs with gc on does.
scene('content that was not collected', () => {
    const kept = next('gc off: content kept, delete set marks it');
    const doc = new Y.Doc();
    Y.applyUpdate(doc, kept);
    applies(kept);
    batch.add('s', none, same(Y.encodeStateAsUpdate(doc), 'collected'));
    batch.add('m', parts([kept, kept]), same(kept, 'merged with itself'));
    batch.add('f', parts([bytes('00'), kept]), same(kept, 'all of it'));
});

scene('merging, and what waits', () => {
    const [one, two, three] = [
        '0101080004010174016100',
        '01010801840800016200',
        '01010802840801016300',
    ].map(bytes);
    const hole = gives('m', parts([one, three]), 'merge of update 1 and 3 (gap => Skip)');
    gives('e', hole, 'its state vector from update');
    const all = gives('m', parts([one, two, three]), 'merge of 1,2,3');
    gives('f', parts([bytes('010801'), all]), 'diffUpdate(merge of 1,2,3, sv{8:1})');
    applies(one, three);
    const name = 'peer holding 1 and pending 3: encodeStateAsUpdate carries the pending struct';
    gives('s', none, name);
    gives('v', null, 'its state vector does not');
    applies(two);
    gives('s', none, 'after update 2 arrives');
    batch.add('n');
    applies(bytes('000108010101'));
    gives('s', none, 'peer with only the delete: pendingDs in its update');
    applies(one, two, three);
    gives('s', none, 'after the insert arrives');
});

scene('two clients at once', () => {
    applies(bytes('01010a0004010174014100'), bytes('0101140004010174014200'));
    gives('s', none, 'two concurrent inserts at 0 (clients written in descending id)');
    gives('v', null, 'sv descending');
    gives('t', null, 'text');
});

test('the frames come last', () => {
    assert.ok(at < vectors.length);
    assert.ok(vectors.every(({ name }, i) => FRAME.test(name) === i >= at));
});

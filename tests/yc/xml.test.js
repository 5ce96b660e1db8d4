// Text and XML as Yjs' toString() writes it, deltas and JSON: values of every form in every place
// where they are written.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert/strict');
const Y = require('yjs');
const { Batch } = require('./driver.js');

const VALUES = {
    string: 'a"<b',
    number: 1.5,
    'a power of two': 2 ** -24,
    'minus zero': -0,
    'a large number': 1e21,
    true: true,
    null: null,
    array: [1, 2, [3, null, []], 'a', { b: 1 }],
    'an empty array': [],
    object: { b: 1, a: [1, { c: 2 }], 10: 3, 9: 4, '\uffff': 5, '😀': 6, é: 'ä', d: null },
    'an empty object': {},
};
const TYPES = {
    XmlElement: () => new Y.XmlElement('B'),
    XmlFragment: () => new Y.XmlFragment(),
    XmlText: () => new Y.XmlText('xml'),
    Text: () => new Y.Text('text'),
    Array: () => Y.Array.from([1]),
    Map: () => new Y.Map([['k', 1]]),
    XmlHook: () => new Y.XmlHook('h'),
};

// kind: as yc.h numbers them.
function compare(name, kind, Type, build) {
    test(name, () => {
        const doc = new Y.Doc();
        build(doc.get('r', Type));
        const reference = new Y.Doc();
        const update = Y.encodeStateAsUpdate(doc);
        Y.applyUpdate(reference, update);
        const type = reference.get('r', Type);
        const batch = new Batch();
        const same = (what, expected) => (status, result) => {
            assert.equal(status, 'ok', what);
            assert.equal(result.toString(), expected, what);
        };
        batch.add('n');
        batch.add('u', update, (status) => assert.equal(status, 'ok'));
        batch.add('j', Buffer.from(`${kind}r`), same('JSON', JSON.stringify(type.toJSON())));
        batch.add('T', null, same('text', type.toString()));
        if (kind === 6) batch.add('R', null, same('delta', JSON.stringify(type.toDelta())));
        batch.run();
    });
}

for (const [name, value] of Object.entries({ ...VALUES, undefined: undefined })) {
    compare(`an attribute: ${name}`, 4, Y.XmlFragment, (fragment) => {
        const element = new Y.XmlElement('P');
        fragment.insert(0, [element]);
        element.setAttribute('k', value);
        for (const key of ['b', 'a', '10', '9', '\uffff', '😀', 'é']) element.setAttribute(key, 1);
    });
}
for (const [name, make] of Object.entries(TYPES)) {
    compare(`an attribute: ${name}`, 4, Y.XmlFragment, (fragment) => {
        const element = new Y.XmlElement('p');
        fragment.insert(0, [element]);
        element.setAttribute('k', make());
    });
    compare(`embedded: ${name}`, 6, Y.XmlText, (text) => {
        text.insert(0, 'ab');
        text.insertEmbed(1, make(), { i: true });
    });
}
for (const [name, value] of Object.entries(VALUES)) {
    if (value === null) continue; // Yjs can neither embed nor format with it
    compare(`embedded: ${name}`, 6, Y.XmlText, (text) => {
        text.insert(0, 'ab');
        text.insertEmbed(1, value);
    });
    if (typeof value !== 'string') {
        compare(`a format: ${name}`, 6, Y.XmlText, (text) => {
            text.insert(0, 'abc', { f: value });
            text.insert(1, 'd', { f: value, b: true, a: { y: 1, x: 2 } });
        });
    }
}
compare('types in types', 6, Y.XmlText, (text) => {
    for (let depth = 0, inner = text; depth < 60; depth++) {
        const next = depth % 2 ? new Y.XmlText() : new Y.XmlElement('e');
        if (inner instanceof Y.XmlElement) inner.insert(0, [next]);
        else inner.insertEmbed(0, next);
        inner = next;
    }
});

test('a format is ended by null with white space', () => {
    const bytes = Buffer.concat([
        Buffer.from([1, 4, 1, 0]),
        Buffer.from([6, 1, 1, 0x74, 1, 0x62, 4, ...Buffer.from('true')]),
        Buffer.from([0x84, 1, 0, 1, 0x79]),
        Buffer.from([0x86, 1, 1, 1, 0x62, 5, ...Buffer.from(' null')]),
        Buffer.from([0x84, 1, 2, 1, 0x7a]),
        Buffer.from([0]),
    ]);
    const reference = new Y.Doc();
    Y.applyUpdate(reference, bytes);
    const batch = new Batch();
    batch.add('n');
    batch.add('u', bytes);
    batch.add('D', Buffer.from('t'), (status, result) =>
        assert.equal(result.toString(), JSON.stringify(reference.getText('t').toDelta())),
    );
    batch.run();
});

// A peer can put text where values are expected.
test('a string in an array is walked by its units', () => {
    const letters = Buffer.from('aé😀b');
    const bytes = Buffer.from([1, 1, 1, 0, 4, 1, 1, 0x72, letters.length, ...letters, 0]);
    const reference = new Y.Doc();
    Y.applyUpdate(reference, bytes);
    const batch = new Batch();
    batch.add('n');
    batch.add('u', bytes);
    const expected = JSON.stringify(reference.getArray('r').toJSON());
    batch.add('j', Buffer.from('0r'), (status, result) =>
        assert.equal(result.toString(), expected),
    );
    batch.add('W', null, (status, result) => {
        const values = [];
        for (let at = 0; result[at] !== 0x30;) {
            const length = result.readUInt32LE(at + 1);
            values.push(result.subarray(at + 5, at + 5 + length).toString());
            at += 5 + length;
        }
        assert.equal(`[${values.join()}]`, expected);
    });
    batch.run();
});

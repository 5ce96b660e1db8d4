// Makes the stored cases: folders of updates made by real Yjs (0.bin, 1.bin, ... in the order they
// are delivered in) with what they come to in Yjs (expected.json). The same bytes each time:
//
//     node tests/yc/make_cases.js
//
// A new case is a new row of CASES; its folder is written by running this again.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const Y = require('yjs');

const { FOLDER } = require('./cases.js');
const [ARRAY, MAP, TEXT, XML_FRAGMENT, XML_HOOK, XML_TEXT] = [0, 1, 2, 4, 5, 6];
const TYPES = [Y.Array, Y.Map, Y.Text, Y.XmlElement, Y.XmlFragment, Y.XmlHook, Y.XmlText];

const hex = (bytes) => Buffer.from(bytes).toString('hex');

// --- clients ------------------------------------------------------------------------------------

// Clients that edit at once until they are told of each other. What each of them does is recorded
// as updates, in the order it happens.
class Scene {
    updates = [];
    clients = [];

    constructor(...ids) {
        for (const id of ids) {
            const doc = new Y.Doc({ guid: `client ${id}` });
            doc.clientID = id;
            doc.on('update', (update, origin) => origin !== 'peer' && this.updates.push(update));
            this.clients.push(doc);
        }
    }

    // Everybody hears everything.
    sync() {
        for (let told = -1; told !== this.updates.length;) {
            told = this.updates.length;
            for (const doc of this.clients)
                this.updates.slice().forEach((update) => Y.applyUpdate(doc, update, 'peer'));
        }
    }
}

// Texts: everybody begins with the same content, then edits alone.
function together(ids, begin, ...edits) {
    const scene = new Scene(...ids);
    begin(scene.clients[0].getText('t'));
    scene.sync();
    edits.forEach((edit, i) => edit(scene.clients[i % ids.length].getText('t')));
    return scene.updates;
}

const text = (content) => (type) => type.insert(0, content);
const type = (at, content) => (text) => [...content].forEach((c, i) => text.insert(at + i, c));
const typeBackwards = (at, content) => (text) =>
    [...content].reverse().forEach((c) => text.insert(at, c));

// Of three clients the second hears of what the third inserts, and inserts in front of it.
function otherRights(first, second, third, word) {
    const scene = new Scene(first, second, third);
    const [m, x, z] = scene.clients.map((doc) => doc.getText('t'));
    m.insert(0, '()');
    scene.sync();
    z.insert(1, 'z');
    Y.applyUpdate(scene.clients[1], Y.encodeStateAsUpdate(scene.clients[2]), 'peer');
    type(1, word)(x);
    m.insert(1, 'm');
    return scene.updates;
}

// An item that today's Yjs only reads: a list of JSON values.
function insertOldJson(doc, name, values) {
    doc.transact((transaction) => {
        const parent = doc.getArray(name);
        let left = parent._start;
        while (left?.right) left = left.right;
        const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID));
        const content = new Y.ContentJSON(values);
        new Y.Item(id, left, left?.lastId ?? null, null, null, parent, null, content).integrate(
            transaction,
            0,
        );
    });
}

// --- cases --------------------------------------------------------------------------------------

// name: [roots, function that gives the updates]
const T = [[TEXT, 't']];
const CASES = {
    'surrogate-cut-by-delete': [T, () => together([2], text('x😀y'), (t) => t.delete(2, 1))],

    'surrogate-cut-by-insert': [
        T,
        () =>
            together(
                [2, 1],
                text('x😀y'),
                (t) => t.insert(2, 'm'),
                (t) => t.insert(2, 'n'),
            ),
    ],

    'surrogate-cut-by-two': [
        T,
        () =>
            together(
                [1, 2],
                text('😀😀😀'),
                (t) => t.delete(1, 2),
                (t) => t.delete(3, 2),
            ),
    ],

    'concurrent-two': [
        T,
        () =>
            together(
                [7, 3],
                text('()'),
                (t) => t.insert(1, 'a'),
                (t) => t.insert(1, 'b'),
            ),
    ],

    'concurrent-four': [
        T,
        () =>
            together(
                [40, 10, 30, 20],
                text('()'),
                (t) => t.insert(1, 'a'),
                (t) => t.insert(1, 'b'),
                (t) => t.insert(1, 'c'),
                (t) => t.insert(1, 'd'),
            ),
    ],

    'interleaving-runs': [
        T,
        () => together([1, 2, 3], text('()'), type(1, 'aaa'), type(1, 'bbb'), type(1, 'cc')),
    ],

    'interleaving-runs-backwards': [
        T,
        () =>
            together(
                [2, 1, 3],
                text('()'),
                typeBackwards(1, 'aaa'),
                type(1, 'bbb'),
                typeBackwards(1, 'ccc'),
            ),
    ],

    'concurrent-at-nested-origins': [
        T,
        () => {
            const scene = new Scene(5, 6, 7);
            const [a, b, c] = scene.clients.map((doc) => doc.getText('t'));
            a.insert(0, 'ad');
            scene.sync();
            b.insert(1, 'B');
            c.insert(1, 'C');
            Y.applyUpdate(scene.clients[0], Y.encodeStateAsUpdate(scene.clients[1]), 'peer');
            a.insert(1, 'x');
            a.insert(3, 'y');
            return scene.updates;
        },
    ],

    // m knows nothing of z, x stands between z and what is left of both: so m and x have one origin
    // and different rights, and x has followers.
    'concurrent-with-other-rights': [T, () => otherRights(1, 2, 3, 'xy')],

    'concurrent-with-other-rights-and-a-lower-client': [T, () => otherRights(5, 9, 3, 'x')],

    'map-conflict': [
        [[MAP, 'm']],
        () => {
            const scene = new Scene(1, 2, 3);
            scene.clients.forEach((doc, i) => doc.getMap('m').set('k', `by ${i}`));
            return scene.updates;
        },
    ],

    'map-conflict-with-delete': [
        [[MAP, 'm']],
        () => {
            const scene = new Scene(3, 1, 2);
            const [a, b, c] = scene.clients.map((doc) => doc.getMap('m'));
            a.set('k', 1);
            scene.sync();
            b.set('k', 2);
            c.delete('k');
            a.set('k', 3);
            a.set('other', null);
            return scene.updates;
        },
    ],

    'map-of-types-conflict': [
        [[MAP, 'm']],
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients.map((doc) => doc.getMap('m'));
            a.set('list', Y.Array.from([1, 2]));
            b.set('list', Y.Array.from(['x']));
            a.get('list').push([3]);
            b.get('list').unshift(['w']);
            return scene.updates;
        },
    ],

    'keys-of-many-scripts': [
        [
            [MAP, 'ключи 🔑'],
            [ARRAY, ''],
        ],
        () => {
            const scene = new Scene(0xfedcba98);
            const [doc] = scene.clients;
            doc.getMap('ключи 🔑').set('', 'empty');
            doc.getMap('ключи 🔑').set('日本', '\u0000"\\\u001f');
            doc.getArray('').push(['\ufeff', '\u2028']);
            return scene.updates;
        },
    ],

    'any-all-values': [
        [
            [ARRAY, 'a'],
            [MAP, 'm'],
        ],
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients.map((doc) => doc.getArray('a'));
            scene.clients[0].getMap('m').set('nothing', undefined);
            a.push([null, true, false, 0, -0, -64, 2 ** 31, 1.5, 0.1, 2 ** 53 - 1]);
            a.push(['text', [1, [2, []]], { key: { inner: [null] } }, 1e300, -1e-7]);
            scene.sync();
            b.delete(3, 4);
            b.insert(2, ['between']);
            return scene.updates;
        },
    ],

    'binary-values': [
        [
            [ARRAY, 'a'],
            [MAP, 'm'],
        ],
        () => {
            const scene = new Scene(1);
            const [doc] = scene.clients;
            doc.getArray('a').push([new Uint8Array([0, 255, 128]), new Uint8Array(0)]);
            doc.getMap('m').set('bytes', new Uint8Array([1, 2, 3]));
            doc.getArray('a').delete(1, 1);
            return scene.updates;
        },
    ],

    'json-of-old': [
        [[ARRAY, 'a']],
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients;
            insertOldJson(a, 'a', [{ a: 1 }, 'two', undefined, null, [4]]);
            insertOldJson(a, 'a', [6, 7]);
            scene.sync();
            b.getArray('a').delete(1, 2);
            b.getArray('a').insert(2, ['new']);
            return scene.updates;
        },
    ],

    embeds: [
        T,
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients.map((doc) => doc.getText('t'));
            a.insert(0, 'ab');
            a.insertEmbed(1, { image: 'i.png', size: [1, 2] });
            scene.sync();
            b.insertEmbed(1, { video: null }, { width: 100 });
            a.delete(1, 1);
            return scene.updates;
        },
    ],

    'formats-by-two-that-overlap': [
        T,
        () =>
            together(
                [1, 2],
                text('0123456789'),
                (t) => t.format(1, 5, { bold: true }),
                (t) => t.format(3, 5, { italic: true }),
            ),
    ],

    'formats-by-two-that-conflict': [
        T,
        () =>
            together(
                [2, 1],
                text('0123456789'),
                (t) => t.format(2, 6, { color: 'red' }),
                (t) => t.format(4, 6, { color: 'blue' }),
                (t) => t.format(0, 4, { color: null, bold: true }),
            ),
    ],

    'formats-while-typing': [
        T,
        () =>
            together(
                [1, 2, 3],
                (t) => t.insert(0, 'bold', { bold: true }),
                (t) => t.insert(4, ' more'),
                (t) => t.format(1, 2, { bold: null }),
                (t) => t.delete(0, 4),
            ),
    ],

    'formats-tidied': [
        T,
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients.map((doc) => doc.getText('t'));
            a.insert(0, 'abcdef');
            scene.sync();
            a.format(0, 3, { bold: true });
            b.format(0, 3, { bold: true });
            scene.sync();
            return scene.updates;
        },
    ],

    'types-of-all-kinds': [
        [[ARRAY, 'a']],
        () => {
            const scene = new Scene(1);
            const list = scene.clients[0].getArray('a');
            const made = [new Y.Array(), new Y.Map(), new Y.Text('text'), new Y.XmlElement('p')];
            list.push([...made, new Y.XmlFragment(), new Y.XmlHook('hook'), new Y.XmlText('xml')]);
            list.get(0).push([1]);
            list.get(1).set('k', new Y.Text('in a map'));
            list.get(4).insert(0, [new Y.XmlElement('b')]);
            list.get(5).set('of', 'hook');
            return scene.updates;
        },
    ],

    'roots-of-many-kinds': [
        [
            [ARRAY, 'array'],
            [MAP, 'map'],
            [TEXT, 'text'],
            [XML_FRAGMENT, 'fragment'],
            [XML_HOOK, 'hook'],
            [XML_TEXT, 'xml text'],
        ],
        () => {
            const scene = new Scene(1);
            const [doc] = scene.clients;
            doc.getArray('array').push([1]);
            doc.getMap('map').set('k', 1);
            doc.getText('text').insert(0, 't');
            doc.getXmlFragment('fragment').insert(0, [new Y.XmlElement('p')]);
            doc.get('hook', Y.XmlHook).set('h', [true]);
            doc.get('xml text', Y.XmlText).insert(0, 'x', { b: { href: 'u' } });
            return scene.updates;
        },
    ],

    'xml-tree': [
        [[XML_FRAGMENT, 'x']],
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients.map((doc) => doc.getXmlFragment('x'));
            const element = new Y.XmlElement('Div');
            a.insert(0, [element, new Y.XmlText('after <&>')]);
            element.setAttribute('id', 'one');
            scene.sync();
            element.insert(0, [new Y.XmlText('in a')]);
            b.get(0).insert(0, [new Y.XmlElement('br')]);
            b.get(0).setAttribute('id', 'two');
            element.setAttribute('class', 'a "b"');
            return scene.updates;
        },
    ],

    'documents-within': [
        [[MAP, 'm']],
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients.map((doc) => doc.getMap('m'));
            a.set('doc', new Y.Doc({ guid: 'g', autoLoad: true, meta: { a: [1] } }));
            scene.sync();
            b.set('doc', new Y.Doc({ guid: 'h', gc: false }));
            a.set('other', new Y.Doc({ guid: 'i' }));
            return scene.updates;
        },
    ],

    'nested-map-deleted-while-edited': [
        [[MAP, 'm']],
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients.map((doc) => doc.getMap('m'));
            a.set('s', new Y.Map([['in', 1]]));
            scene.sync();
            a.delete('s');
            b.get('s').set('in', 2);
            b.get('s').set('new', new Y.Array());
            return scene.updates;
        },
    ],

    'nested-text-deleted-while-typed-in': [
        [[ARRAY, 'a']],
        () => {
            const scene = new Scene(2, 1, 3);
            const [a, b, c] = scene.clients.map((doc) => doc.getArray('a'));
            a.push(['before', new Y.Text('deep'), 'after']);
            scene.sync();
            b.get(1).insert(2, 'xy');
            c.get(1).insert(0, 'z');
            c.get(1).delete(2, 2);
            a.delete(1, 2);
            return scene.updates;
        },
    ],

    'structs-that-wait-for-ever': [
        T,
        () => together([1], text('ab'), type(2, 'cde')).filter((_, i) => i !== 2),
    ],

    'structs-of-two-clients-that-wait': [
        T,
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients.map((doc) => doc.getText('t'));
            a.insert(0, 'ab');
            scene.sync();
            b.insert(1, 'B');
            scene.sync();
            a.insert(2, 'A');
            return scene.updates.filter((_, i) => i !== 0).reverse();
        },
    ],

    'structs-that-wait-a-while': [T, () => together([1], type(0, 'abcde')).reverse()],

    'deletes-that-wait-for-ever': [
        T,
        () =>
            together(
                [1],
                text('abc'),
                (t) => t.insert(3, 'def'),
                (t) => t.delete(1, 4),
            ).filter((_, i) => i !== 1),
    ],

    'deletes-that-wait-a-while': [
        T,
        () =>
            together(
                [1],
                text('abc'),
                (t) => t.delete(0, 1),
                (t) => t.delete(1, 1),
            ).reverse(),
    ],

    'merged-with-a-hole': [
        T,
        () => {
            const updates = together([1, 2], text('a'), (t) => t.insert(1, 'b'), type(0, 'xyz'));
            return [Y.mergeUpdates([updates[0], updates[4], updates[2]]), updates[1], updates[3]];
        },
    ],

    collected: [
        [
            [TEXT, 't'],
            [MAP, 'm'],
        ],
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients;
            a.getText('t').insert(0, 'abcdef');
            a.getMap('m').set('k', new Y.Map([['in', 1]]));
            scene.sync();
            b.getText('t').insert(3, 'B');
            b.getMap('m').get('k').set('in', 2);
            const late = scene.updates.slice(-2);
            a.getText('t').delete(1, 4);
            a.getMap('m').delete('k');
            return [Y.encodeStateAsUpdate(a), ...late];
        },
    ],

    undone: [
        T,
        () => {
            const scene = new Scene(1);
            const t = scene.clients[0].getText('t');
            const undo = new Y.UndoManager(t, { captureTimeout: 0 });
            t.insert(0, 'abc');
            t.delete(1, 1);
            undo.undo();
            undo.undo();
            return scene.updates;
        },
    ],

    'undone-and-redone': [
        [
            [TEXT, 't'],
            [MAP, 'm'],
        ],
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients;
            const both = [a.getText('t'), a.getMap('m')];
            const undo = new Y.UndoManager(both, { captureTimeout: 0 });
            both[0].insert(0, 'abcdef');
            both[1].set('k', 1);
            both[1].set('k', 2);
            both[0].delete(1, 4);
            scene.sync();
            b.getText('t').insert(1, 'B');
            b.getMap('m').set('k', 3);
            scene.sync();
            undo.undo();
            undo.undo();
            undo.redo();
            return scene.updates;
        },
    ],

    'delivered-twice': [
        T,
        () => {
            const updates = together([1, 2], text('ab'), type(1, 'xy'), (t) => t.delete(0, 1));
            return updates.flatMap((update) => [update, update]).concat(updates[0]);
        },
    ],

    'delivered-in-overlaps': [
        T,
        () => {
            const scene = new Scene(1, 2);
            const [a, b] = scene.clients;
            a.getText('t').insert(0, 'abc');
            const early = Y.encodeStateAsUpdate(a);
            a.getText('t').insert(3, 'def');
            const middle = Y.encodeStateAsUpdate(a);
            Y.applyUpdate(b, middle, 'peer');
            b.getText('t').delete(2, 2);
            a.getText('t').insert(6, 'ghi');
            return [Y.encodeStateAsUpdate(b), early, Y.encodeStateAsUpdate(a), middle];
        },
    ],

    'deleted-neighbours': [
        T,
        () =>
            together(
                [1, 2, 3],
                text('abcd'),
                (t) => t.delete(0, 4),
                (t) => t.insert(2, 'X'),
                (t) => t.insert(2, 'Y'),
            ),
    ],
};

// --- what they come to --------------------------------------------------------------------------

// Roots stay without a kind until all is applied: Yjs tidies the formats of texts that it knows as
// such with an update of its own, which is not part of the case.
function apply(updates) {
    const doc = new Y.Doc();
    updates.forEach((update) => Y.applyUpdate(doc, update));
    return doc;
}

function readRoot(doc, [kind, name]) {
    const type = doc.get(name, TYPES[kind]);
    const root = { kind, name, json: JSON.parse(JSON.stringify(type.toJSON())) };
    if (kind === TEXT) root.delta = JSON.parse(JSON.stringify(type.toDelta()));
    return root;
}

function outcome(roots, updates) {
    const doc = apply(updates);
    const state = hex(Y.encodeStateAsUpdate(doc));
    const stateVector = hex(Y.encodeStateVector(doc));
    // A snapshot is the delete set and the state vector.
    const snapshot = hex(Y.encodeSnapshot(Y.snapshot(doc)));
    assert.ok(snapshot.endsWith(stateVector));
    return {
        roots: roots.map((root) => readRoot(doc, root)),
        state,
        stateVector,
        deleteSet: snapshot.slice(0, -stateVector.length),
    };
}

// The files of all cases: [path within the folder, content].
function makeCases() {
    return Object.entries(CASES).flatMap(([name, [roots, make]]) => {
        const updates = make();
        const expected = JSON.stringify(outcome(roots, updates), null, 4) + '\n';
        return [
            ...updates.map((update, i) => [`${name}/${i}.bin`, Buffer.from(update)]),
            [`${name}/expected.json`, Buffer.from(expected)],
        ];
    });
}

function main() {
    fs.rmSync(FOLDER, { recursive: true, force: true });
    for (const [file, content] of makeCases()) {
        fs.mkdirSync(path.dirname(path.join(FOLDER, file)), { recursive: true });
        fs.writeFileSync(path.join(FOLDER, file), content);
    }
}

module.exports = { makeCases };
if (require.main === module) main();

// Random histories of real Yjs clients, made from a seed: the same seed gives the same history.
'use strict';
const Y = require('yjs');

// A small generator of good numbers (mulberry32).
function random(seed) {
    let state = seed >>> 0;
    const next = () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const below = (n) => Math.floor(next() * n);
    return { next, below, pick: (list) => list[below(list.length)], chance: (p) => next() < p };
}

const WORDS = ['a', 'be', 'x = 1\n', 'ä', '日本', '😀', 'a😀b', 'print("hello")\n', ' '];
const KEYS = ['k', 'key', 'ключ', ''];
const ATTRIBUTES = [{ bold: true }, { bold: null }, { color: 'red' }, { color: null, bold: true }];

function value(r, depth = 0) {
    const simple = [
        null,
        true,
        false,
        0,
        1,
        -1,
        64,
        2 ** 31,
        2 ** 53 - 1,
        1.5,
        0.1,
        -0,
        'text',
        '😀',
        undefined,
        new Uint8Array([1, 2, 255]),
    ];
    if (depth < 2 && r.chance(0.2)) {
        return [value(r, depth + 1), { a: value(r, depth + 1) }];
    }
    const chosen = r.pick(simple);
    return depth > 0 && chosen === undefined ? null : chosen;
}

function arrayValue(r) {
    const chosen = value(r);
    return chosen === undefined ? null : chosen;
}

function nestedType(r) {
    return r.pick([
        () => new Y.Text('inner'),
        () => new Y.Array(),
        () => new Y.Map([['in', 1]]),
        () => new Y.XmlElement('p'),
        () => new Y.XmlText('xml'),
    ])();
}

// All lists and maps of a document that are there to be edited.
function places(doc) {
    const found = [doc.getText('t'), doc.getArray('a'), doc.getMap('m'), doc.getXmlFragment('x')];
    for (let i = 0; i < found.length; i++) {
        const inner = [];
        if (found[i] instanceof Y.Map) found[i].forEach((child) => inner.push(child));
        else if (!(found[i] instanceof Y.Text))
            found[i].toArray().forEach((child) => inner.push(child));
        found.push(...inner.filter((child) => child instanceof Y.AbstractType));
    }
    return found;
}

function editText(r, text) {
    const at = r.below(text.length + 1);
    const rest = text.length - at;
    if (rest > 100 && r.chance(0.5)) scatter(r, text);
    else if (rest > 0 && r.chance(0.35)) text.delete(at, 1 + r.below(Math.min(rest, 6)));
    else if (rest > 0 && r.chance(0.25)) text.format(at, 1 + r.below(rest), r.pick(ATTRIBUTES));
    else if (r.chance(0.1)) text.insertEmbed(at, { image: 'i.png', size: [1, 2] });
    else if (r.chance(0.1)) text.insert(at, r.pick(WORDS), { bold: true });
    else text.insert(at, r.chance(0.005) ? '日a'.repeat(400) : r.pick(WORDS));
}

// Cuts a long list at many places in one transaction.
function scatter(r, list) {
    list.doc.transact(() => {
        for (let n = 0; n < 8; n++) list.delete(r.below(list.length - 1), 1);
    });
}

function editArray(r, array) {
    const at = r.below(array.length + 1);
    const rest = array.length - at;
    if (rest > 20 && r.chance(0.7)) scatter(r, array);
    else if (rest > 0 && r.chance(0.35)) array.delete(at, 1 + r.below(Math.min(rest, 3)));
    else if (r.chance(0.25)) array.insert(at, [nestedType(r)]);
    else if (r.chance(0.01)) array.insert(at, new Array(600).fill(64));
    else
        array.insert(
            at,
            Array.from({ length: 1 + r.below(3) }, () => arrayValue(r)),
        );
}

function editMap(r, map) {
    const key = r.pick(KEYS);
    if (r.chance(0.25)) map.delete(key);
    else map.set(key, r.chance(0.3) ? nestedType(r) : value(r));
}

function editXml(r, xml) {
    const at = r.below(xml.length + 1);
    if (xml instanceof Y.XmlElement && r.chance(0.3)) xml.setAttribute('class', r.pick(['x', 'y']));
    else if (xml.length > at && r.chance(0.3)) xml.delete(at, 1);
    else xml.insert(at, [r.chance(0.5) ? new Y.XmlElement('b') : new Y.XmlText('t')]);
}

function edit(r, doc) {
    const place = r.chance(0.5) ? doc.getText('t') : r.pick(places(doc));
    if (place instanceof Y.Text) editText(r, place);
    else if (place instanceof Y.Array) editArray(r, place);
    else if (place instanceof Y.Map) editMap(r, place);
    else editXml(r, place);
}

// Typing at the one place where all others type.
function crowd(r, doc) {
    const text = doc.getText('t');
    const at = r.below(Math.min(3, text.length + 1));
    if (r.chance(0.2)) text.insertEmbed(at, { image: 'i.png' });
    else text.insert(at, r.pick(WORDS));
}

// Updates as they could reach somebody: made by 2 to 6 clients that heard of each other late, in
// another order, or not at all; shuffled, doubled, some lost and told again at the end.
function history(seed) {
    const r = random(seed);
    const updates = [];
    const clients = Array.from({ length: 2 + r.below(5) }, (_, i) => {
        const doc = new Y.Doc({ guid: `${seed}` }); // not a random one: that takes a tenth of the time
        doc.clientID = r.chance(0.5) ? i + 1 : 1 + r.below(4294967295);
        doc.on('update', (update, origin) => origin !== 'peer' && updates.push(update));
        places(doc);
        return { doc, heard: 0, undo: i === 0 ? new Y.UndoManager(doc.getText('t')) : null };
    });
    const crowded = r.chance(0.2);
    const steps = 5 + r.below(crowded ? 120 : 40);
    for (let i = 0; i < steps; i++) {
        const client = r.pick(clients);
        if (r.chance(crowded ? 0.08 : 0.3)) {
            const end = updates.length;
            const missed = updates.slice(client.heard, end);
            if (r.chance(0.3)) missed.reverse();
            client.heard = end;
            missed.forEach((update) => Y.applyUpdate(client.doc, update, 'peer'));
        } else if (crowded && r.chance(0.9)) {
            crowd(r, client.doc);
        } else if (client.undo !== null && r.chance(0.15)) {
            client.undo.stopCapturing();
            r.chance(0.6) ? client.undo.undo() : client.undo.redo();
        } else if (r.chance(0.15)) {
            client.doc.transact(() => [1, 2, 3].forEach(() => edit(r, client.doc)));
        } else {
            edit(r, client.doc);
        }
    }
    const told = crowded && r.chance(0.7) ? inParts(r, updates) : updates;
    return { seed, updates, delivered: deliver(r, told) };
}

// The same in few updates, each with much of what was typed at one place.
function inParts(r, updates) {
    const parts = Array.from({ length: 1 + r.below(4) }, () => []);
    updates.forEach((update) => r.pick(parts).push(update));
    return parts.filter((part) => part.length > 0).map((part) => Y.mergeUpdates(part));
}

function deliver(r, updates) {
    const delivered = [];
    const lost = [];
    for (const update of updates) {
        if (r.chance(0.1)) lost.push(update);
        else if (r.chance(0.3)) delivered.splice(r.below(delivered.length + 1), 0, update);
        else delivered.push(update);
        if (r.chance(0.1)) delivered.push(update);
    }
    if (updates.length > 1 && r.chance(0.3))
        delivered.push(Y.mergeUpdates(r.chance(0.5) ? lost.concat(updates[0]) : updates));
    return delivered.concat(lost);
}

module.exports = { history, random, edit };

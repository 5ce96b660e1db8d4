// What the engines are fed, made from a seed and kept in a folder: the same seed and counts give the
// same files. NAME.updates is a file of updates; NAME.text the text that must come of them.
import { existsSync, writeFileSync } from 'node:fs';
import * as Y from 'yjs';
import { Bytes, random, UpdateFile } from './bytes.js';

// Part of the names of the files: raise it when other bytes come of the same seed.
const VERSION = 1;
export const ROOT_NAME = 'monaco';
const WRITERS = 5;
const LETTERS = 'eeeeettttaaaooiinnsshhrrddllucmfwygpbvk      ..,;()=+_"\n\nx019äé日';

const clientId = (r) => 1 + r.below(2 ** 32 - 1);
const letters = (r, count) => Array.from({ length: count }, () => r.pick(LETTERS)).join('');

// --- how people type ------------------------------------------------------------------------------

// Moves pens as people do: some take turns, each types bursts at a cursor, goes back over them,
// jumps, pastes, deletes ranges. Each step of it is one edit.
function* habits(r, pens) {
    for (;;) {
        const pen = r.pick(pens);
        for (let bursts = 1 + r.below(30); bursts > 0; bursts--) {
            if (r.chance(0.3)) pen.jump(r);
            const kind = r.next();
            if (kind < 0.03) yield pen.type(letters(r, 10 + r.below(100)));
            else if (kind < 0.06) yield pen.erase(1 + r.below(80)) || pen.type(r.pick(LETTERS));
            else if (kind < 0.36)
                for (let i = r.below(10); i >= 0; i--)
                    yield pen.backspace() || pen.type(r.pick(LETTERS));
            else for (let i = r.below(12); i >= 0; i--) yield pen.type(r.pick(LETTERS));
        }
    }
}

// The last edit writes something, so that somebody who has all but it has an older state vector.
function write(r, pens, edits, beforeLast) {
    const steps = habits(r, pens);
    for (let i = 1; i < edits; i++) steps.next();
    beforeLast?.();
    pens[0].type('.');
}

// Writes into a document of Yjs that all share: each hears of every edit before the next.
class YjsPen {
    at = 0;

    constructor(doc, id, pens) {
        Object.assign(this, { doc, id, pens, text: doc.getText(ROOT_NAME) });
    }

    jump(r) {
        const near = this.at + r.below(400) - 200;
        const far = r.below(this.text.length + 1);
        this.at = r.chance(0.5) ? Math.max(0, Math.min(near, this.text.length)) : far;
    }

    type(letters) {
        this.doc.clientID = this.id;
        this.text.insert(this.at, letters);
        for (const pen of this.pens) if (pen === this || pen.at > this.at) pen.at += letters.length;
        return true;
    }

    #delete(at, count) {
        if (count === 0 || at < 0) return false;
        this.text.delete(at, count);
        for (const pen of this.pens) if (pen.at > at) pen.at = Math.max(at, pen.at - count);
        return true;
    }

    backspace() {
        return this.#delete(this.at - 1, 1);
    }

    erase(most) {
        return this.#delete(this.at, Math.min(most, this.text.length - this.at));
    }
}

// Updates, state, the state vector of somebody one edit behind, and text.
export function typing(folder, seed, edits) {
    const base = `${folder}/typing-${VERSION}-${seed}-${edits}`;
    if (existsSync(`${base}.updates`)) return base;
    const r = random(seed);
    const doc = new Y.Doc();
    const file = new UpdateFile(`${base}.updates`);
    doc.on('update', (update) => file.add(update));
    const pens = [];
    for (let i = 0; i < WRITERS; i++) pens.push(new YjsPen(doc, clientId(r), pens));
    write(r, pens, edits, () => writeFileSync(`${base}.vector`, Y.encodeStateVector(doc)));
    writeFileSync(`${base}.state`, Y.encodeStateAsUpdate(doc));
    writeFileSync(`${base}.text`, doc.getText(ROOT_NAME).toString());
    file.close();
    return base;
}

// --- the same without Yjs -------------------------------------------------------------------------

// The characters of a text in their order, deleted ones included: a linked list of numbers, for
// which an edit costs the same however many there are. 0 is the place in front of all.
class Page {
    constructor(capacity) {
        this.next = new Int32Array(capacity);
        this.previous = new Int32Array(capacity);
        this.clock = new Int32Array(capacity);
        this.writer = new Uint8Array(capacity);
        this.deleted = new Uint8Array(capacity);
        this.count = 1;
        this.bytes = new Bytes(4096);
    }

    // Links count characters of a writer behind another one; returns the last.
    insert(writer, clock, at, count) {
        let left = at;
        for (let i = 0; i < count; i++) {
            const own = this.count++;
            this.writer[own] = writer;
            this.clock[own] = clock + i;
            this.previous[own] = left;
            this.next[own] = this.next[left];
            this.previous[this.next[left]] = own;
            this.next[left] = own;
            left = own;
        }
        return left;
    }

    shown(from, step) {
        let at = from;
        while (at !== 0 && this.deleted[at]) at = step[at];
        return at;
    }
}

class BarePen {
    at = 0;
    clock = 0;

    constructor(page, ids, number, tell) {
        Object.assign(this, { page, ids, number, tell });
    }

    jump(r) {
        this.at = this.page.shown(r.below(this.page.count), this.page.previous);
    }

    #id(at) {
        this.page.bytes.uint(this.ids[this.page.writer[at]]).uint(this.page.clock[at]);
    }

    type(letters) {
        const { page, at } = this;
        const right = page.next[at];
        page.bytes.u8(1, 1).uint(this.ids[this.number]).uint(this.clock);
        page.bytes.u8(4 | (at !== 0 && 0x80) | (right !== 0 && 0x40));
        if (at !== 0) this.#id(at);
        if (right !== 0) this.#id(right);
        if (at === 0 && right === 0) page.bytes.u8(1).string(ROOT_NAME);
        page.bytes.string(letters).u8(0);
        this.at = page.insert(this.number, this.clock, at, letters.length);
        this.clock += letters.length;
        this.tell(page.bytes.take());
        return true;
    }

    // Ranges are not united: that is allowed, and a client that deletes word by word does the same.
    #delete(list) {
        if (list.length === 0) return false;
        const { page } = this;
        const writers = [...new Set(list.map((at) => page.writer[at]))];
        page.bytes.u8(0).uint(writers.length);
        for (const writer of writers) {
            const own = list.filter((at) => page.writer[at] === writer);
            page.bytes.uint(this.ids[writer]).uint(own.length);
            for (const at of own) page.bytes.uint(page.clock[at]).u8(1);
        }
        for (const at of list) page.deleted[at] = 1;
        this.tell(page.bytes.take());
        return true;
    }

    backspace() {
        const { page } = this;
        const victim = page.shown(this.at, page.previous);
        this.at = page.previous[victim];
        return this.#delete(victim === 0 ? [] : [victim]);
    }

    erase(most) {
        const { page } = this;
        const list = [];
        let at = page.shown(page.next[this.at], page.next);
        while (at !== 0 && list.length < most) {
            list.push(at);
            at = page.shown(page.next[at], page.next);
        }
        return this.#delete(list);
    }
}

// Only updates.
export function plenty(folder, seed, edits) {
    const base = `${folder}/plenty-${VERSION}-${seed}-${edits}`;
    if (existsSync(`${base}.updates`)) return base;
    const r = random(seed);
    const file = new UpdateFile(`${base}.updates`);
    const page = new Page(2 * edits + 10_000);
    const ids = Array.from({ length: WRITERS }, () => clientId(r));
    const tell = (update) => file.add(update);
    const pens = ids.map((_, number) => new BarePen(page, ids, number, tell));
    write(r, pens, edits);
    file.close();
    return base;
}

// --- many at once ---------------------------------------------------------------------------------

// One writer who is offline: starts at one of a few places that all find attractive.
function offline(r, start, edits) {
    const updates = [];
    const doc = new Y.Doc();
    doc.clientID = clientId(r);
    Y.applyUpdate(doc, start);
    doc.on('update', (update) => updates.push(update));
    const text = doc.getText(ROOT_NAME);
    const place = () => Math.floor((r.below(10) * text.length) / 10);
    let at = place();
    while (updates.length < edits) {
        if (r.chance(0.1)) at = place();
        if (at > 0 && r.chance(0.2)) text.delete(--at, 1);
        else text.insert(at++, r.pick(LETTERS));
    }
    doc.destroy();
    return updates;
}

// The start and then all edits of all writers, in an order in which a server could get them:
// each writer's own edits in theirs. With wholes, each writer's edits arrive as one update.
export function concurrent(folder, seed, writers, edits, wholes) {
    const kind = wholes ? 'sessions' : 'concurrent';
    const base = `${folder}/${kind}-${VERSION}-${seed}-${writers}-${edits}`;
    if (existsSync(`${base}.updates`)) return base;
    const r = random(seed);
    const first = new Y.Doc();
    first.clientID = clientId(r);
    first.getText(ROOT_NAME).insert(0, letters(r, 2000));
    const start = Y.encodeStateAsUpdate(first);
    const sessions = Array.from({ length: writers }, () => offline(r, start, edits));
    const lists = wholes ? sessions.map((list) => [Y.mergeUpdates(list)]) : sessions;
    const file = new UpdateFile(`${base}.updates`);
    const add = (update) => {
        file.add(update);
        Y.applyUpdate(first, update);
    };
    file.add(start);
    while (lists.length > 0) {
        const number = r.below(lists.length);
        add(lists[number].shift());
        if (lists[number].length === 0) {
            lists[number] = lists.at(-1);
            lists.pop();
        }
    }
    writeFileSync(`${base}.text`, first.getText(ROOT_NAME).toString());
    file.close();
    return base;
}

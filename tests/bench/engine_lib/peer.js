// Yjs, or yrs as it comes for Node (ywasm), doing what ours.c does, and printing the same figures as
// one line of JSON.
//
//     node --expose-gc peer.js yjs|ywasm feed UPDATES VECTOR|- OUT [news]
//     node --expose-gc peer.js yjs|ywasm load STATE OUT
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';

const ROOT_NAME = 'monaco';
const TIMES = 9;
const CHUNK = 65536;
const [, , engineName, task, ...parameters] = process.argv;

async function yjs() {
    const Y = await import('yjs');
    return {
        create: () => new Y.Doc(),
        destroy: (doc) => doc.destroy(),
        apply: (doc, update) => Y.applyUpdate(doc, update),
        onNews: (doc, take) => doc.on('update', take),
        state: (doc, vector) => Y.encodeStateAsUpdate(doc, vector),
        text: (doc) => doc.getText(ROOT_NAME).toString(),
        held: () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers,
    };
}

async function ywasm() {
    const { default: Y } = await import('ywasm');
    return {
        create: () => new Y.YDoc({}),
        destroy: (doc) => doc.free(),
        apply: (doc, update) => Y.applyUpdate(doc, update, undefined),
        onNews: (doc, take) => doc.onUpdate(take),
        state: (doc, vector) => Y.encodeStateAsUpdate(doc, vector),
        text: (doc) => doc.getText(ROOT_NAME).toString(),
        held: () => Y.__wasm.memory.buffer.byteLength,
    };
}

const engine = await { yjs, ywasm }[engineName]();
const now = () => Number(process.hrtime.bigint());

// Bytes of memory that is this process's own and in use, garbage collected first.
function memory() {
    for (let i = 0; i < 3; i++) globalThis.gc();
    const status = readFileSync('/proc/self/status', 'utf8');
    return Number(status.match(/^RssAnon:\s+(\d+)/m)[1]) * 1024;
}

// Calls take with the updates of a chunk of a file, again and again.
function stream(path, take) {
    const file = openSync(path, 'r');
    let buffer = Buffer.alloc(CHUNK);
    let have = 0;
    for (let got = 1; got > 0;) {
        if (have === buffer.length) buffer = Buffer.concat([buffer, Buffer.alloc(have)]);
        got = readSync(file, buffer, have, buffer.length - have, null);
        have += got;
        const updates = [];
        let at = 0;
        while (at + 4 <= have && at + 4 + buffer.readUInt32LE(at) <= have) {
            const end = at + 4 + buffer.readUInt32LE(at);
            updates.push(new Uint8Array(buffer.buffer, buffer.byteOffset + at + 4, end - at - 4));
            at = end;
        }
        take(updates);
        buffer.copyWithin(0, at, have);
        have -= at;
    }
    closeSync(file);
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

function timeOf(work) {
    const begin = now();
    work();
    return now() - begin;
}

function medianTimeOf(work) {
    return median(Array.from({ length: TIMES }, () => timeOf(work)));
}

function report(doc, out, figures) {
    writeFileSync(`${out}.text`, engine.text(doc));
    writeFileSync(`${out}.state`, engine.state(doc));
    console.log(JSON.stringify(figures));
}

function feed(updatesPath, vectorPath, out, news) {
    const vector = vectorPath === '-' ? null : new Uint8Array(readFileSync(vectorPath));
    const doc = engine.create();
    let newsBytes = 0;
    if (news) engine.onNews(doc, (update) => (newsBytes += update.length));
    const memoryBefore = memory();
    const heldBefore = engine.held();
    let updates = 0;
    let apply = 0;
    stream(updatesPath, (list) => {
        updates += list.length;
        apply += timeOf(() => {
            for (const update of list) engine.apply(doc, update);
        });
    });
    const figures = { updates, apply, memory: memory() - memoryBefore };
    figures.held = engine.held() - heldBefore;
    figures.newsBytes = newsBytes;
    figures.encode = medianTimeOf(() => engine.state(doc));
    if (vector !== null) figures.diff = medianTimeOf(() => engine.state(doc, vector));
    report(doc, out, figures);
}

function load(statePath, out) {
    const state = new Uint8Array(readFileSync(statePath));
    const doc = engine.create();
    const memoryBefore = memory();
    const heldBefore = engine.held();
    const figures = { first: timeOf(() => engine.apply(doc, state)) };
    figures.memory = memory() - memoryBefore;
    figures.held = engine.held() - heldBefore;
    const others = [];
    figures.again = medianTimeOf(() => {
        const other = engine.create();
        engine.apply(other, state);
        others.push(other);
    });
    others.forEach((other) => engine.destroy(other));
    report(doc, out, figures);
}

const tasks = { feed, load };
tasks[task](...parameters);

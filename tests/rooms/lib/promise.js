// The promise: what a peer has seen relayed while the room said that it is saved is there after the
// daemon was killed.
import assert from 'node:assert/strict';
import * as Y from 'yjs';
import { until } from '../../integration/lib/process.js';
import { joined, leaveAll, openedSocket } from './clients.js';
import { editor } from './edits.js';
import * as frames from './frames.js';

// Somebody who types without a pause, but never far ahead of what `heard` says has come back.
export function startTyping(client, r, heard) {
    const { edit } = editor(r);
    const typing = { stopped: false };
    const own = () => Y.getState(client.doc.store, client.doc.clientID);
    typing.end = (async () => {
        while (!typing.stopped) {
            edit(client.doc);
            await new Promise(setImmediate);
            if (own() - heard() > 300)
                await until('the watcher to hear', () => typing.stopped || own() - heard() < 300);
        }
    })();
    typing.stop = () => {
        typing.stopped = true;
        return typing.end;
    };
    return typing;
}

// A bare socket that keeps all updates it was sent. `onUpdate(count)` is called at once.
export async function watch(house, room, onUpdate = () => {}) {
    const watcher = await openedSocket(house, room);
    const doc = new Y.Doc();
    const relayed = [];
    const unsaved = []; // what it was sent while the room said so
    let taken = 0;
    let count = 0;
    watcher.saved = true;
    watcher.ws.on('message', () => {
        for (; taken < watcher.seen.length; taken++) {
            const message = watcher.seen[taken];
            if (message.type === frames.ROOM) watcher.saved = message.told.saved ?? watcher.saved;
            if (watcher.saved) relayed.push(...unsaved.splice(0));
            if (!frames.isUpdate(message)) continue;
            (watcher.saved ? relayed : unsaved).push(message.bytes);
            Y.applyUpdate(doc, message.bytes);
            onUpdate((count += 1));
        }
    });
    watcher.relayed = relayed;
    watcher.heard = (clientId) => Y.getState(doc.store, clientId);
    watcher.send(frames.step1());
    Y.applyUpdate(doc, (await watcher.next('a step 2', frames.isStep2)).bytes);
    return watcher;
}

// One joiner has all of it: nothing of it is news to him.
export async function assertHolds(house, room, updates, what) {
    const fresh = await joined(house, room);
    const doc = new Y.Doc();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(fresh.doc));
    fresh.leave();
    let lost = 0;
    doc.on('update', () => (lost += 1));
    for (const update of updates) Y.applyUpdate(doc, update);
    assert.equal(lost, 0, `${what}: ${lost} of ${updates.length} relayed updates are lost`);
    assert.equal(doc.store.pendingStructs, null, `${what}: structs wait for others`);
    assert.equal(doc.store.pendingDs, null, `${what}: deletions wait for others`);
}

// One types, one watches, the daemon is killed right at the n-th update that is relayed.
// Resolves with what was relayed.
export async function killAt(house, room, n, r) {
    const typist = await joined(house, room);
    const watcher = await watch(house, room, (count) => {
        if (count === n) house.daemon.signal('SIGKILL');
    });
    const typing = startTyping(typist, r, () => watcher.heard(typist.doc.clientID));
    await until(`the end after ${n} updates`, () => watcher.closed !== null);
    await typing.stop();
    await house.daemon.exit;
    assert.ok(watcher.relayed.length >= n || !watcher.saved);
    assert.equal(watcher.failure, null);
    leaveAll();
    await house.start();
    return watcher.relayed;
}

// The frames of the wire: one message each, read to the last byte.
import assert from 'node:assert/strict';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

export const SYNC = 0;
export const AWARENESS = 1;
export const QUERY = 3;
export const ROOM = 100;

function frame(write) {
    const encoder = encoding.createEncoder();
    write(encoder);
    return encoding.toUint8Array(encoder);
}

function sync(sub, bytes) {
    return frame((encoder) => {
        encoding.writeVarUint(encoder, SYNC);
        encoding.writeVarUint(encoder, sub);
        encoding.writeVarUint8Array(encoder, bytes);
    });
}

export const NOTHING = Uint8Array.of(0); // the state vector of an empty document
export const step1 = (vector = NOTHING) => sync(0, vector);
export const step2 = (bytes) => sync(1, bytes);
export const update = (bytes) => sync(2, bytes);
export const query = () => Uint8Array.of(QUERY);

// Entries are { client, clock, state }; the state null means gone.
export function awareness(...entries) {
    const body = frame((encoder) => {
        encoding.writeVarUint(encoder, entries.length);
        for (const { client, clock, state } of entries) {
            encoding.writeVarUint(encoder, client);
            encoding.writeVarUint(encoder, clock);
            encoding.writeVarString(encoder, JSON.stringify(state));
        }
    });
    return frame((encoder) => {
        encoding.writeVarUint(encoder, AWARENESS);
        encoding.writeVarUint8Array(encoder, body);
    });
}

function readEntries(body) {
    const decoder = decoding.createDecoder(body);
    const entries = [];
    for (let left = decoding.readVarUint(decoder); left > 0; left--) {
        entries.push({
            client: decoding.readVarUint(decoder),
            clock: decoding.readVarUint(decoder),
            state: JSON.parse(decoding.readVarString(decoder)),
        });
    }
    assert.ok(!decoding.hasContent(decoder), 'bytes after the last awareness entry');
    return entries;
}

const BODIES = {
    [SYNC]: (decoder) => ({
        sub: decoding.readVarUint(decoder),
        bytes: decoding.readVarUint8Array(decoder).slice(),
    }),
    [AWARENESS]: (decoder) => ({ entries: readEntries(decoding.readVarUint8Array(decoder)) }),
    [QUERY]: () => ({}),
    [ROOM]: (decoder) => ({ told: JSON.parse(decoding.readVarString(decoder)) }),
};

// A frame as { type, ... }; throws when it is not exactly one message that a server may send.
export function parse(bytes) {
    const decoder = decoding.createDecoder(bytes);
    const type = decoding.readVarUint(decoder);
    assert.ok(BODIES[type], `a frame of type ${type}`);
    const message = { type, ...BODIES[type](decoder) };
    assert.ok(!decoding.hasContent(decoder), `bytes after the message of type ${type}`);
    return message;
}

export const isStep1 = (message) => message.type === SYNC && message.sub === 0;
export const isStep2 = (message) => message.type === SYNC && message.sub === 1;
export const isUpdate = (message) => message.type === SYNC && message.sub === 2;
export const isAwareness = (message) => message.type === AWARENESS;
export const isPresence = (message) => isAwareness(message) && message.entries.length > 0;

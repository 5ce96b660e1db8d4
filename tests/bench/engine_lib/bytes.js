// Bytes of the wire formats, written without Yjs: for inputs that no client would make, and for
// more of them than a client makes in a bearable time. Files of updates have each one's length
// (4 bytes, little-endian) in front of it.
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';

export class Bytes {
    #bytes;
    length = 0;

    constructor(capacity = 64) {
        this.#bytes = new Uint8Array(capacity);
    }

    #room(count) {
        if (this.length + count > this.#bytes.length) {
            const bigger = new Uint8Array(2 * this.#bytes.length + count);
            bigger.set(this.#bytes);
            this.#bytes = bigger;
        }
    }

    u8(...values) {
        this.#room(values.length);
        for (const value of values) this.#bytes[this.length++] = value;
        return this;
    }

    uint(value) {
        this.#room(8);
        let rest = value;
        while (rest > 127) {
            this.#bytes[this.length++] = 128 | (rest % 128);
            rest = Math.floor(rest / 128);
        }
        this.#bytes[this.length++] = rest;
        return this;
    }

    raw(bytes) {
        this.#room(bytes.length);
        this.#bytes.set(bytes, this.length);
        this.length += bytes.length;
        return this;
    }

    string(text) {
        const bytes = Buffer.from(text);
        return this.uint(bytes.length).raw(bytes);
    }

    // A copy of what was written; the writer begins anew.
    take() {
        const taken = this.#bytes.slice(0, this.length);
        this.length = 0;
        return taken;
    }
}

const CHUNK = 1 << 20;

// A file of updates. It has its name only when it is complete.
export class UpdateFile {
    #path;
    #file;
    #chunk = Buffer.alloc(2 * CHUNK);
    #used = 0;

    constructor(path) {
        this.#path = path;
        this.#file = openSync(`${path}.part`, 'w');
    }

    #flush() {
        writeSync(this.#file, this.#chunk, 0, this.#used);
        this.#used = 0;
    }

    add(update) {
        if (this.#used + update.length + 4 > this.#chunk.length) this.#flush();
        if (update.length + 4 > this.#chunk.length) this.#chunk = Buffer.alloc(2 * update.length);
        this.#used = this.#chunk.writeUInt32LE(update.length, this.#used);
        this.#chunk.set(update, this.#used);
        this.#used += update.length;
    }

    close() {
        this.#flush();
        closeSync(this.#file);
        renameSync(`${this.#path}.part`, this.#path);
    }
}

// A small generator of good numbers (mulberry32).
export function random(seed) {
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

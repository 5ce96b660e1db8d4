// Talks to doc_driver: a batch of commands in, their answers out.
'use strict';
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const program = process.env.YC_DOC_DRIVER || path.join(__dirname, '../../build/bin/doc_driver');
const STATUS = [
    ...['ok', 'memory', 'malformed', 'limit', 'utf8'],
    ...['json', 'range', 'kind', 'busy'],
];

class Batch {
    #commands = [];
    #checks = [];

    // check(status, result) is called with the answer when the batch has run.
    add(letter, argument, check) {
        const bytes = argument ?? new Uint8Array(0);
        const head = Buffer.alloc(5);
        head.writeUInt32LE(bytes.length + 1, 0);
        head[4] = letter.charCodeAt(0);
        this.#commands.push(head, bytes);
        this.#checks.push(check);
    }

    run() {
        const done = spawnSync(program, [], {
            input: Buffer.concat(this.#commands),
            maxBuffer: 1 << 30,
            timeout: 300_000,
        });
        let at = 0;
        for (const check of this.#checks) {
            if (at + 5 > done.stdout.length) break;
            const length = done.stdout.readUInt32LE(at);
            const answer = done.stdout.subarray(at + 4, at + 4 + length);
            at += 4 + length;
            check?.(STATUS[answer[0]], answer.subarray(1));
        }
        if (done.status !== 0 || at !== done.stdout.length) {
            throw new Error(`doc_driver ended with ${done.status ?? done.signal}\n${done.stderr}`);
        }
    }
}

// The argument of a command that takes several byte strings.
function parts(list) {
    return Buffer.concat(
        list.flatMap((bytes) => {
            const head = Buffer.alloc(4);
            head.writeUInt32LE(bytes.length);
            return [head, bytes];
        }),
    );
}

// A number of 4 or 8 bytes, as commands take it.
function u32(number) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(number);
    return bytes;
}

function u64(number) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(number));
    return bytes;
}

module.exports = { Batch, parts, u32, u64 };

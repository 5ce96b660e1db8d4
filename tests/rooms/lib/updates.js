// Updates of Yjs, written byte by byte: for those that no client would make.
import { Bytes } from '../../bench/engine_lib/bytes.js';

export const MAX = 2 ** 53 - 1;
export const bytes = (write) => write(new Bytes()).take();
export const hex = (text) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

export const REF = {
    gc: 0,
    deleted: 1,
    json: 2,
    binary: 3,
    string: 4,
    embed: 5,
    format: 6,
    type: 7,
    any: 8,
    doc: 9,
    skip: 10,
};
export const AT_ROOT = { root: 't' };

export const hole = (ref, length) => bytes((out) => out.u8(ref).uint(length));

// where: origin and right as [client, clock]; without either root or parent, and perhaps key.
export function item(ref, content, where = AT_ROOT) {
    const { origin, right, root, parent, key } = where;
    const name = (out, text) => (typeof text === 'string' ? out.string(text) : sized(out, text));
    const sized = (out, raw) => out.uint(raw.length).raw(raw);
    return bytes((out) => {
        out.u8(ref | (origin && 0x80) | (right && 0x40) | (key !== undefined && 0x20));
        if (origin) out.uint(origin[0]).uint(origin[1]);
        if (right) out.uint(right[0]).uint(right[1]);
        if (!origin && !right) {
            if (parent) out.u8(0).uint(parent[0]).uint(parent[1]);
            else name(out.u8(1), root);
            if (key !== undefined) name(out, key);
        }
        return out.raw(content);
    });
}

export const sized = (raw) => bytes((out) => out.uint(raw.length).raw(raw));
export const text = (letters, where) => item(REF.string, sized(Buffer.from(letters)), where);

// A block is [client, first clock, structs], a deletion [client, [[clock, length], ...]].
export function update(blocks, deletions = []) {
    return bytes((out) => {
        out.uint(blocks.length);
        for (const [client, clock, structs] of blocks) {
            out.uint(structs.length).uint(client).uint(clock);
            for (const struct of structs) out.raw(struct);
        }
        out.uint(deletions.length);
        for (const [client, ranges] of deletions) {
            out.uint(client).uint(ranges.length);
            for (const [clock, length] of ranges) out.uint(clock).uint(length);
        }
        return out;
    });
}

// Updates that no client makes: what announces more than it brings, what passes a limit, what costs
// an engine more than it cost its sender. Each is a list of commands for `ours attack`; those with
// the letter S only set the scene.
import { Bytes, random, UpdateFile } from './bytes.js';

const MAX = 2 ** 53 - 1;
const BIG = 2 ** 25;
const hex = (text) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const range = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const bytes = (write) => write(new Bytes()).take();

// --- structs and updates --------------------------------------------------------------------------

const GC = 0;
const DELETED = 1;
const JSON_OLD = 2;
const STRING = 4;
const EMBED = 5;
const FORMAT = 6;
const TYPE = 7;
const ANY = 8;
const SKIP = 10;
const MAP = 1;
const NULL = 126;
const AT_ROOT = { root: 't' };

const hole = (ref, length) => bytes((out) => out.u8(ref).uint(length));

// where: origin and right as [client, clock]; without either root or parent, and perhaps key.
function item(ref, where, content) {
    const { origin, right, root, parent, key } = where;
    const out = new Bytes(32);
    out.u8(ref | (origin && 0x80) | (right && 0x40) | (key !== undefined && 0x20));
    if (origin) out.uint(origin[0]).uint(origin[1]);
    if (right) out.uint(right[0]).uint(right[1]);
    if (!origin && !right) {
        if (parent) out.u8(0).uint(parent[0]).uint(parent[1]);
        else out.u8(1).string(root);
        if (key !== undefined) out.string(key);
    }
    content(out);
    return out.take();
}

const text = (letters, where = AT_ROOT) => item(STRING, where, (out) => out.string(letters));
const map = (where) => item(TYPE, where, (out) => out.u8(MAP));
const embed = (json) => item(EMBED, AT_ROOT, (out) => out.string(json));
const nulls = (count, where = AT_ROOT) =>
    item(ANY, where, (out) => out.uint(count).raw(new Uint8Array(count).fill(NULL)));

// A block is [client, first clock, structs], a delete [client, [[clock, length], ...]].
function update(blocks, deletes = []) {
    const out = new Bytes(1024);
    out.uint(blocks.length);
    for (const [client, clock, structs] of blocks) {
        out.uint(structs.length).uint(client).uint(clock);
        for (const struct of structs) out.raw(struct);
    }
    out.uint(deletes.length);
    for (const [client, ranges] of deletes) {
        out.uint(client).uint(ranges.length);
        for (const [clock, length] of ranges) out.uint(clock).uint(length);
    }
    return out.take();
}

const one = (struct, client = 1, clock = 0) => update([[client, clock, [struct]]]);
const deletes = (client, ranges) => update([], [[client, ranges]]);

// --- the list -------------------------------------------------------------------------------------

// name, the status that must come last ('refused': any but ok; null: any), commands as
// [letter, bytes]; they go to a file at once, since together they are many.
const list = [];
let folder;

function attack(name, expected, ...commands) {
    const path = `${folder}/attack-${list.length}.commands`;
    const file = new UpdateFile(path);
    let size = 0;
    for (const [letter, argument] of commands) {
        file.add(bytes((out) => out.u8(letter.charCodeAt(0)).raw(argument)));
        if (letter !== 'S') size += argument.length;
    }
    file.close();
    list.push({ name, expected, path, size });
}

const refused = (name, ...updates) =>
    attack(name, 'refused', ...updates.map((argument) => ['u', argument]));
const taken = (name, ...updates) =>
    attack(name, 'ok', ...updates.map((argument) => ['u', argument]));
const scene = (...updates) => updates.map((argument) => ['S', argument]);
const calls = (letter, updates) => updates.map((argument) => [letter, argument]);

// Announces a number where the rest is missing.
function announced() {
    const many = bytes((out) => out.uint(BIG));
    const lie = (before, after = '') =>
        bytes((out) => out.raw(hex(before)).raw(many).raw(hex(after)));
    refused('2^25 structs announced in 9 bytes', lie('01', '01 00 00 01'));
    refused('2^25 clients announced', lie('', '01 01 00 00 01'));
    refused('2^25 clients with deletes announced', lie('00', '01 01 00 01'));
    refused('2^25 deletes announced', lie('00 01 01', '00 01 00 01'));
    refused('2^25 values announced', lie('01 01 01 00 08 01 01 74', '7e 7e 7e 00'));
    refused('2^25 old JSON values announced', lie('01 01 01 00 02 01 01 74', '01 31 00'));
    refused('an array of 2^25 values announced', lie('01 01 01 00 08 01 01 74 01 75', '7e 00'));
    refused('an object of 2^25 keys announced', lie('01 01 01 00 08 01 01 74 01 76', '7e 00'));
    refused('a text of 2^25 bytes announced', lie('01 01 01 00 04 01 01 74', '61 00'));
    attack('2^25 clients announced in a state vector', 'refused', ['v', lie('', '01 01')]);
    attack('2^25 awareness entries announced', 'refused', ['a', lie('', '01 01 02 7b 7d')]);
    attack('2^25 bytes announced in a sync message', 'refused', ['y', lie('02', '00 00')]);
}

// One by one the limits that an honest client never reaches.
function beyond() {
    const deep = (count) => '['.repeat(count) + ']'.repeat(count);
    const deepAny = (count) =>
        item(ANY, AT_ROOT, (out) => {
            out.u8(1);
            for (let i = 0; i < count; i++) out.u8(117, 1);
            out.u8(NULL);
        });
    refused('embed nested 200,000 deep', one(embed(deep(200_000))));
    refused('embed nested 100 deep', one(embed(deep(100))));
    refused('value nested 200,000 deep', one(deepAny(200_000)));
    refused('value nested 100 deep', one(deepAny(100)));
    const format = (value) => item(FORMAT, AT_ROOT, (out) => out.string('k').string(value));
    refused('format nested 200,000 deep', one(format(deep(200_000))));

    refused('client id 2^53', hex('01 01 8080808080808010 00 04 01 01 74 01 61 00'));
    refused('clock 2^53', hex('01 01 01 8080808080808010 04 01 01 74 01 61 00'));
    refused('clock + length beyond 2^53 - 1', one(text('ab'), 1, MAX));
    refused('delete beyond 2^53 - 1', deletes(1, [[MAX, 2]]));
    refused('an integer of 11 bytes', hex(`01 01 ${'80'.repeat(10)}01 00 04 01 01 74 01 61 00`));
    for (const [what, ref] of Object.entries({ GC, Skip: SKIP })) {
        refused(`${what} of length 0`, one(hole(ref, 0)));
        refused(`${what} of length 2^40`, one(hole(ref, 2 ** 40)));
        refused(`${what} of length 2^53 - 1`, one(hole(ref, MAX)));
    }
    const gone = (length) => item(DELETED, AT_ROOT, (out) => out.uint(length));
    refused('Deleted of length 2^53 - 1', one(gone(MAX)));
    refused('Deleted of length 0', one(gone(0)));
    refused('empty text', one(text('')));
    refused('no values', one(nulls(0)));
    refused('delete of length 0', deletes(1, [[0, 0]]));

    refused('root name of 5,000 bytes', one(text('a', { root: 'n'.repeat(5000) })));
    refused('root name of 1 MB', one(text('a', { root: 'n'.repeat(1e6) })));
    refused('map key of 5,000 bytes', one(nulls(1, { root: 'm', key: 'k'.repeat(5000) })));
    for (const ref of [11, 31]) refused(`kind ${ref}`, one(item(ref, AT_ROOT, (out) => out.u8(1))));
    const broken = (out) => out.u8(2, 0xed, 0xa0);
    refused('half a surrogate pair in UTF-8', one(item(STRING, AT_ROOT, broken)));
    refused('origin in its own future', one(text('a', { origin: [1, 5] })));
    refused('parent in its own future', one(text('a', { parent: [1, 0] })));
    refused(
        'bytes behind the end',
        bytes((out) => out.raw(one(text('a'))).u8(0)),
    );
    refused('16 MB of zeros', new Uint8Array(16e6));
    refused('16 MB of structs of 2 bytes', update([[1, 0, new Array(8e6).fill(hole(GC, 1))]]));
    attack('16 MB of text', null, ['u', one(text('x'.repeat(16e6)))]);
    attack('awareness state nested 200,000 deep', 'refused', [
        'a',
        bytes((out) => out.u8(1, 1, 1).string(deep(200_000))),
    ]);
    attack('100,000 awareness entries', 'refused', [
        'a',
        bytes((out) => {
            out.uint(100_000);
            for (let i = 0; i < 100_000; i++) out.uint(i + 1).u8(1, 2, 0x7b, 0x7d);
            return out;
        }),
    ]);
}

function many() {
    const root = (i) => text('a', { root: `root ${i}` });
    refused('50,000 roots', update([[1, 0, range(50_000, root)]]));
    refused(
        '50,000 roots, an update each',
        ...range(50_000, (i) => one(root(i), 1, Math.min(i, 1024))),
    );
    const client = (i) => [1e6 + i, 0, [text('a')]];
    refused('100,000 client ids', update(range(100_000, client).reverse()));
    const growing = { root: 'm' };
    taken(
        '100,000 map keys',
        update([[1, 0, range(100_000, (i) => nulls(1, { ...growing, key: `k${i}` }))]]),
    );
    const vector = bytes((out) => {
        out.uint(200_000);
        for (let i = 200_000; i > 0; i--) out.uint(i).u8(1);
        return out;
    });
    attack('state vector of 200,000 clients', 'ok', ...scene(one(text('a'))), ['v', vector]);
    const inner = (i) => map(i === 0 ? { root: 'm', key: 'k' } : { parent: [1, i - 1], key: 'k' });
    refused('map in map, 100,000 deep', update([[1, 0, range(100_000, inner)]]));
    refused(
        'the same in updates of one map',
        ...range(1000, (i) => one(inner(Math.min(i, 64)), 1, Math.min(i, 64))),
    );
    const leaf = (i) => map(i === 60 ? { parent: [1, 59] } : { origin: [1, i - 1] });
    const depths = (i) => (i < 60 ? inner(i) : leaf(i));
    taken('100,000 maps side by side, 60 deep', update([[1, 0, range(100_000, depths)]]));
    const keys = range(50_000, (i) => nulls(1, { parent: [1, 0], key: `k${i}` }));
    attack(
        'a map of 50,000 keys deleted',
        'ok',
        ...scene(update([[1, 0, [map({ root: 'm', key: 'k' }), ...keys]]])),
        ['u', deletes(1, [[0, 1]])],
    );
    attack(
        '100,000 maps side by side, then a letter deleted',
        'ok',
        ...scene(
            update([[1, 0, range(100_000, (i) => map(i ? { origin: [1, i - 1] } : AT_ROOT))]]),
        ),
        ...scene(one(text('ab', { root: 'x' }), 2)),
        ['u', deletes(2, [[0, 1]])],
    );
}

// Structs that come before what they build on.
function waiting() {
    const gap = (i) => one(text('a'), 1, 2 * i + 1);
    taken('3,000 updates that leave a gap each', ...range(3000, gap));
    attack('3,000 gaps, then the state', 'ok', ...scene(...range(3000, gap)), ['v', hex('00')]);
    const letters = (count) => update([[1, 1, range(count, () => text('a'))]]);
    refused('5 MB that wait, in one update', letters(850_000));
    attack(
        '0.9 MB wait, and 100 updates with a gap each',
        'ok',
        ...scene(letters(150_000)),
        ...calls(
            'u',
            range(100, (i) => one(text('a'), 2, 2 * i + 1)),
        ),
    );
    attack(
        '0.9 MB wait, and somebody writes 100 letters',
        'ok',
        ...scene(letters(150_000)),
        ...calls(
            'u',
            range(100, (i) => one(text('a'), 2, i)),
        ),
    );
    attack(
        '0.7 MB wait for a letter each, and somebody writes 100 of these',
        'ok',
        ...scene(update([[2, 0, range(100_000, (i) => text('b', { origin: [1, i] }))]])),
        ...calls(
            'u',
            range(100, (i) => one(text('a', i ? { origin: [1, i - 1] } : AT_ROOT), 1, i)),
        ),
    );
    const behind = (i) => [5000 + i, 0, [text('b', { origin: [1, i] })]];
    attack(
        '50,000 clients wait for a letter each, and somebody writes 100 of these',
        'ok',
        ...scene(update(range(50_000, behind).reverse())),
        ...calls(
            'u',
            range(100, (i) => one(text('a', i ? { origin: [1, i - 1] } : AT_ROOT), 1, i)),
        ),
    );
    const distant = (i) => [5000 + i, 0, [text('a', { origin: [1e6 + i, 7] })]];
    attack(
        '50,000 clients wait, and somebody writes 100 letters',
        'ok',
        ...scene(update(range(50_000, distant).reverse())),
        ...calls(
            'u',
            range(100, (i) => one(text('a'), 2, i)),
        ),
    );
    const ranges = range(40_000, (i) => [2 * i, 1]);
    attack(
        '40,000 deletes wait, and somebody writes 100 letters',
        'ok',
        ...scene(deletes(1, ranges)),
        ...calls(
            'u',
            range(100, (i) => one(text('a'), 2, i)),
        ),
    );
    attack(
        '40,000 deletes wait, and 100 more come one by one',
        'ok',
        ...scene(deletes(1, ranges)),
        ...calls(
            'u',
            range(100, (i) => deletes(2, [[2 * i, 1]])),
        ),
    );

    // Client i builds on client i + 1; the last one builds on nothing.
    const link = (count) => (i) => [
        100 + i,
        0,
        [text('a', i === count - 1 ? AT_ROOT : { origin: [101 + i, 0] })],
    ];
    taken(
        '1,000 clients wait for one another',
        ...range(1000, link(1000)).map((block) => update([block])),
    );
    taken(
        '30,000 clients wait for one another, in one update',
        update(range(30_000, link(30_000))),
    );
    const thirds = range(1000, link(1000));
    const order = random(1);
    thirds.sort(() => order.next() - 0.5);
    taken(
        '1,000 clients wait for one another, in any order',
        ...thirds.map((block) => update([block])),
    );
    const waiter = (i) => [100 + i, 0, [text('a', { origin: [1, i] })]];
    const steps = range(20_000, (i) => text('a', i ? { origin: [1, i - 1] } : AT_ROOT));
    taken(
        '20,000 clients wait for one client, each for another clock',
        update([...range(20_000, waiter), [1, 0, steps]]),
    );
    taken(
        'the same, last clock first',
        update([...range(20_000, waiter).reverse(), [1, 0, steps]]),
    );
}

// Everybody at the same place.
function crowded() {
    const same = (client, count) => [client, 0, range(count, () => text('a'))];
    taken(
        '50,000 at one place by a low client, 50,000 by a high one',
        update([same(2, 50_000), same(1, 50_000)].reverse()),
    );
    taken(
        '60,000 clients at one place, ids rising',
        update(range(60_000, (i) => same(100 + i, 1))),
    );
    taken(
        '60,000 clients at one place, ids falling',
        update(range(60_000, (i) => same(100 + i, 1)).reverse()),
    );
    attack(
        '60,000 clients at one place, then 100 letters in front',
        'ok',
        ...scene(...range(60_000, (i) => update([same(60_100 - i, 1)]))),
        ...calls(
            'u',
            range(100, (i) => one(text('a'), 2 ** 31 + i)),
        ),
    );
    const links = range(30_000, (i) => text('a', i ? { origin: [1, i - 1] } : AT_ROOT));
    const beside = (place) => range(30_000, (i) => text('b', { origin: [1, place(i)] }));
    taken(
        '30,000 letters beside a chain of 30,000, rising',
        update([
            [2, 0, beside((i) => i)],
            [1, 0, links],
        ]),
    );
    const between = (i) => text('a', i ? { origin: [1, i - 1], right: [2, i - 1] } : AT_ROOT);
    const any = random(1);
    taken(
        '30,000 letters beside a chain of 30,000, anywhere, and 30,000 at its end',
        update([
            [3, 0, beside(() => 29_998)],
            [2, 0, beside(() => any.below(30_000))],
            [1, 0, links],
        ]),
    );
    attack(
        '30,000 letters beside a chain that has letters beside it, rising',
        'ok',
        ...scene(
            update([
                [2, 0, beside((i) => i)],
                [1, 0, range(30_000, between)],
            ]),
        ),
        ['u', update([[3, 0, beside((i) => i)]])],
    );
    const value = (where) => nulls(1, { root: 'm', key: 'k', ...where });
    const chain = range(100_000, (i) => value(i ? { origin: [1, i - 1] } : {}));
    taken('a map key overwritten 100,000 times', update([[1, 0, chain]]));
    taken(
        'a map key set 100,000 times by one client that never saw it',
        update([[1, 0, range(100_000, () => value({}))]]),
    );
    taken(
        'a map key set by 60,000 clients, ids rising',
        update(range(60_000, (i) => [100 + i, 0, [value({})]])),
    );
    taken(
        'a map key set by 60,000 clients, ids falling',
        update(range(60_000, (i) => [100 + i, 0, [value({})]]).reverse()),
    );
    const pushed = (client) => [
        client,
        0,
        range(20_000, (i) => text('a', i ? { right: [client, i - 1] } : AT_ROOT)),
    ];
    taken(
        '20,000 letters each in front, by two clients apart',
        update([pushed(1)]),
        update([pushed(2)]),
    );
    const many = (first, step) => update(range(20_000, (i) => same(first + i * step, 1)).reverse());
    attack(
        '20,000 clients at one place, behind 20,000 with lower ids',
        'ok',
        ...scene(many(1, 1)),
        ['u', many(1e6, 1)],
    );
    attack('20,000 clients at one place, among 20,000 others', 'ok', ...scene(many(1, 2)), [
        'u',
        many(2, 2),
    ]);
    const before = (first, clocks) =>
        update(
            range(20_000, (i) => [
                first + i,
                0,
                [text('a', { origin: [9, 0], right: [9, clocks[i % 2]] })],
            ]).reverse(),
        );
    attack(
        '20,000 clients at one place, left of one or the other, behind as many',
        'ok',
        ...scene(one(text('abcd'), 9), before(100, [1, 3])),
        ['u', before(1e6, [2, 3])],
    );
    // Right of the same item, left of nothing: each must pass all that came before it.
    const behind = (client) => [client, 0, range(20_000, () => text('a', { origin: [9, 0] }))];
    taken(
        '20,000 each by three clients behind one letter',
        update([[9, 0, [text('a')]], behind(10), behind(11), behind(12)]),
    );
}

// One struct in many pieces.
function cut() {
    const odd = range(50_000, (i) => [2 * i, 1]);
    const falling = [...odd].reverse();
    const cases = {
        text: text('x'.repeat(100_000)),
        'text of umlauts': text('ä'.repeat(100_000)),
        values: nulls(100_000),
        'old JSON values': item(JSON_OLD, AT_ROOT, (out) => {
            out.uint(100_000);
            for (let i = 0; i < 100_000; i++) out.u8(1, 0x31);
        }),
        Deleted: item(DELETED, AT_ROOT, (out) => out.uint(100_000)),
    };
    for (const [what, struct] of Object.entries(cases)) {
        for (const [order, ranges] of [
            ['rising', odd],
            ['falling', falling],
        ])
            attack(`50,000 deletes in 100,000 of ${what}, ${order}`, 'ok', ...scene(one(struct)), [
                'u',
                deletes(1, ranges),
            ]);
    }
    const between = (client, clocks) =>
        update([
            [
                client,
                0,
                clocks.map((clock) => text('a', { origin: [1, clock], right: [1, clock + 1] })),
            ],
        ]);
    for (const what of ['text', 'values']) {
        const clocks = range(50_000, (i) => 99_998 - 2 * i);
        attack(
            `50,000 letters into 100,000 of ${what}, falling`,
            'ok',
            ...scene(one(cases[what])),
            ['u', between(2, clocks)],
        );
    }
    const pairs = range(50_000, (i) => [4 * i + 1, 2]).reverse();
    attack(
        '50,000 deletes that halve 100,000 emoji',
        'ok',
        ...scene(one(text('😀'.repeat(100_000)))),
        ['u', deletes(1, pairs)],
    );
    const letters = update([[1, 0, range(10_000, () => text('a'))]]);
    attack('10,000 deletes of the same 10,000 letters', null, ...scene(letters), [
        'u',
        deletes(
            1,
            range(10_000, () => [0, 10_000]),
        ),
    ]);
    attack('50 deletes of the same 10,000 letters', 'ok', ...scene(letters), [
        'u',
        deletes(
            1,
            range(50, () => [0, 10_000]),
        ),
    ]);
    attack(
        '1,000 texts of 4,000 letters, all but one letter deleted',
        'ok',
        ...scene(...range(1000, (i) => one(text('x'.repeat(4000)), 1, 4000 * i))),
        ...calls(
            'u',
            range(1000, (i) => deletes(1, [[4000 * i + 1, 3999]])),
        ),
    );
}

// Ids that the table of clients puts close together (see slot_of in src/yc/store.c): multiples of a
// number that the multiplier there takes almost back to zero.
function collidingIds(count) {
    const factor = 0x9e3779b97f4a7c15n;
    const moved = (a) => {
        const by = BigInt.asIntN(64, a * factor);
        return by < 0n ? -by : by;
    };
    let best = 1n;
    // Denominators of the continued fraction of factor / 2^64.
    for (let [a, b, x, y] = [2n ** 64n, factor, 0n, 1n]; y < 2n ** 36n;) {
        if (moved(y) < moved(best)) best = y;
        [a, b, x, y] = [b, a % b, y, x + (a / b) * y];
    }
    return range(count, (i) => {
        const mixed = BigInt(i + 1) * best;
        return Number(mixed ^ (mixed >> 29n));
    });
}

function collide() {
    const ids = collidingIds(60_000);
    if (Math.max(...ids) > MAX) throw new Error('the ids are too great');
    taken(
        '60,000 client ids that are close in the table',
        update(ids.map((id) => [id, 0, [hole(GC, 1)]])),
    );
    taken(
        '60,000 client ids that are not',
        update(range(60_000, (i) => [1e6 + 7919 * i, 0, [hole(GC, 1)]])),
    );
    attack(
        '60,000 clients, and 100 bad updates that name a new one',
        'refused',
        ...scene(update(range(60_000, (i) => [1e6 + i, 0, [hole(GC, 1)]]))),
        ...calls(
            'u',
            range(100, () => hex('01 01 07 00 04 01 01 74 01 ff 00')),
        ),
    );
    attack(
        '60,000 clients, and 100 updates over a limit that name a new one',
        'refused',
        ...scene(update(range(60_000, (i) => [1e6 + i, 0, [hole(GC, 1)]]))),
        ...calls(
            'u',
            range(100, () => one(hole(GC, MAX), 7)),
        ),
    );
}

// Without a document.
function merged() {
    const framed = (updates) => {
        const out = new Bytes(1024);
        for (const part of updates) {
            const head = Buffer.alloc(4);
            head.writeUInt32LE(part.length);
            out.raw(head).raw(part);
        }
        return out.take();
    };
    const letters = range(50_000, (i) =>
        one(text('a', i ? { origin: [1, i - 1] } : AT_ROOT), 1, i),
    );
    attack('50,000 updates of one letter merged', 'ok', ['m', framed(letters)]);
    attack('the same, last letter first', 'ok', ['m', framed([...letters].reverse())]);
    attack('50,000 updates of 50,000 clients merged', 'ok', [
        'm',
        framed(range(50_000, (i) => one(text('a'), 1 + i))),
    ]);
    const whole = update([[1, 0, range(20_000, () => text('a'))]]);
    attack('one update of 20,000 letters merged with itself 20 times', 'ok', [
        'm',
        framed(range(20, () => whole)),
    ]);
    attack('state vector of 60,000 clients from an update', 'ok', [
        'e',
        update(range(60_000, (i) => [1 + i, 0, [hole(GC, 1)]])),
    ]);
}

// Writes all into a folder, and tells what there is.
export function attacks(into) {
    folder = into;
    for (const group of [announced, beyond, many, waiting, crowded, cut, collide, merged]) group();
    return list;
}

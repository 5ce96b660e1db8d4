// A room: several people, one text, one console. Everybody has a browser context of their own;
// tabs of one would talk to each other without the daemon.
import type { Page, WebSocketRoute } from '@playwright/test';
import { Stranger } from './stranger.js';
import { expect, test, type Vve } from './vve.js';

const ADDRESS = /^\/r\/[A-Za-z0-9_-]{16}$/;

async function both(a: Vve, b: Vve, text: string): Promise<void> {
    for (const vve of [a, b]) {
        await expect.poll(() => vve.shownText()).toBe(text);
    }
    await expect.poll(() => a.editorText()).toBe(text);
}

/** A type-100 message, as the daemon sends them. */
function frame(json: unknown): Buffer {
    const text = Buffer.from(JSON.stringify(json));
    if (text.length > 127) {
        throw new Error('longer than one byte of length can say');
    }
    return Buffer.concat([Buffer.from([100, text.length]), text]);
}

/** Gives a test the page's connection to its room; what it does not handle goes through. */
async function between(
    page: Page,
    on: { open?(route: WebSocketRoute): void; drop?(message: Buffer): boolean },
): Promise<void> {
    await page.routeWebSocket(/\/collab\//, (route) => {
        const server = route.connectToServer();
        server.onMessage((message) => {
            if (!on.drop?.(message as Buffer)) {
                route.send(message);
            }
        });
        on.open?.(route);
    });
}

test('the front page makes a room, with nothing in it', async ({ guest }) => {
    const ada = await guest();
    await ada.join('/');
    expect(ada.path).toMatch(ADDRESS);
    expect(await ada.editorText()).toBe('');
    await expect(ada.page.getByText('Write Python here.')).toBeVisible();
    await ada.focus();
    await ada.typeLine('x = 1');
    await expect.poll(() => ada.editorText()).toBe('x = 1\n');
    const first = ada.path;
    await ada.join('/');
    expect(ada.path).toMatch(ADDRESS);
    expect(ada.path).not.toBe(first);
    expect(await ada.editorText()).toBe('');
    const grace = await guest();
    await grace.join(first);
    expect(grace.path).toBe(first);
    await expect.poll(() => grace.shownText()).toBe('x = 1\n');
});

test('what the browser kept before begins one new room and no other', async ({
    vve,
    guest,
}) => {
    const ada = await guest();
    await ada.join('/r/an-old-room');
    await vve.open("print('mine')\r\n");
    await expect.poll(() => vve.editorText()).toBe("print('mine')\n");
    await vve.join('/');
    expect(await vve.editorText()).toBe('');
    await vve.page.evaluate(() => localStorage.setItem('vve:code', 'secret'));
    await vve.join('/r/an-old-room');
    expect(await ada.editorText()).toBe('');
});

test('two people write one text and see each other', async ({ guest }) => {
    const ada = await guest('Ada');
    const grace = await guest('Grace Hopper');
    await ada.open("print('a')\n");
    await grace.join(ada.path);
    await expect(ada.status).toContainText('2 people');
    await expect(grace.status).toContainText('2 people');

    await ada.focus();
    await ada.page.keyboard.type("print('b')");
    await both(ada, grace, "print('a')\nprint('b')");
    await grace.focus();
    await grace.page.keyboard.press('Control+Home');
    await grace.page.keyboard.type('# both\n');
    await both(ada, grace, "# both\nprint('a')\nprint('b')");
    await Promise.all([
        ada.page.keyboard.type(' # from Ada, at the end'),
        grace.page.keyboard.type('# from Grace, in the middle\n'),
    ]);
    await both(
        ada,
        grace,
        "# both\n# from Grace, in the middle\nprint('a')\nprint('b') # from Ada, at the end",
    );

    await expect.poll(() => ada.cursorNames()).toEqual(['"Grace Hopper"']);
    await expect.poll(() => grace.cursorNames()).toHaveLength(1);
    const label = ada.page.locator('.yRemoteSelectionHead');
    await expect
        .poll(() => label.evaluate((head) => getComputedStyle(head, '::after').opacity))
        .toBe('0');
    await grace.page.keyboard.press('Shift+End');
    await expect
        .poll(() => label.evaluate((head) => getComputedStyle(head, '::after').opacity))
        .toBe('1');
    await expect(ada.page.locator('.yRemoteSelection').first()).toBeAttached();

    await grace.page.close();
    await expect(label).toHaveCount(0);
    await expect(ada.status).toContainText('1 person');
    await expect(
        ada.page.getByRole('status').filter({ hasText: 'Grace Hopper left' }),
    ).toHaveCount(1);
});

test('a name and a colour can be changed, and stay', async ({ guest }) => {
    const ada = await guest();
    await ada.open('x = 1\n');
    const grace = await guest('Grace');
    await grace.join(ada.path);
    await ada.focus();
    await ada.page.keyboard.type('y');
    await ada.page.getByRole('button', { name: 'People: 2 here' }).click();
    await expect(ada.page.getByRole('list', { name: 'Here now' })).toContainText('Grace');
    await ada.page.getByRole('textbox', { name: 'Your name' }).fill('  Ada   Lovelace ');
    await ada.page.getByRole('button', { name: 'Olive' }).click();
    await expect.poll(() => grace.cursorNames()).toEqual(['"Ada Lovelace"']);
    const bar = grace.page.locator('.yRemoteSelectionHead');
    await expect(bar).toHaveCSS('border-left-color', 'rgb(95, 107, 0)');
    await ada.page.keyboard.press('Escape');
    await expect(ada.page.getByRole('textbox', { name: 'Your name' })).toHaveCount(0);
    await ada.page.reload();
    await ada.ready();
    await ada.page.getByRole('button', { name: 'People: 2 here' }).click();
    await expect(ada.page.getByRole('list')).toContainText('Ada Lovelace (you)');
});

test('takes back only what this person did', async ({ guest }) => {
    const ada = await guest('Ada');
    await ada.open('');
    const grace = await guest('Grace');
    await grace.join(ada.path);
    await ada.focus();
    await ada.page.keyboard.type('# ada one\n');
    await both(ada, grace, '# ada one\n');
    await grace.focus();
    await grace.page.keyboard.type('# grace one\n');
    await both(ada, grace, '# ada one\n# grace one\n');
    await ada.page.keyboard.press('Control+Home');
    await ada.page.keyboard.type('# ada two\n');
    await both(ada, grace, '# ada two\n# ada one\n# grace one\n');
    await grace.page.keyboard.type('# grace two');
    await both(ada, grace, '# ada two\n# ada one\n# grace one\n# grace two');
    for (let n = 0; n < 6; n++) {
        await ada.page.keyboard.press('Control+z');
    }
    await both(ada, grace, '# grace one\n# grace two');
    await grace.page.keyboard.type('!');
    for (let n = 0; n < 6; n++) {
        await ada.page.keyboard.press('Control+y');
    }
    await both(ada, grace, '# ada two\n# ada one\n# grace one\n# grace two!');
    await grace.page.keyboard.press('Control+z');
    await expect.poll(() => ada.shownText()).toContain('# ada two\n# ada one\n');
});

test('edits made offline are merged when the connection is back', async ({ guest }) => {
    const ada = await guest('Ada');
    await ada.open('first\nlast\n');
    // The editor's worker comes when it is first needed, and could not come later.
    const worker = ada.page.waitForEvent('worker');
    await ada.focus();
    await ada.page.keyboard.type('x');
    await (await worker).evaluate(() => undefined);
    await ada.page.keyboard.press('Backspace');
    const grace = await guest('Grace');
    await grace.join(ada.path);
    await both(ada, grace, 'first\nlast\n');
    await ada.page.context().setOffline(true);
    await expect(ada.banner).toContainText('Keep typing');
    await expect(ada.status).toContainText('Offline');
    await ada.focus();
    await ada.typeLine('ada was away');
    await grace.focus();
    await grace.page.keyboard.press('Control+Home');
    await grace.typeLine('grace was here');
    await expect.poll(() => grace.shownText()).toBe('grace was here\nfirst\nlast\n');
    await expect.poll(() => ada.shownText()).toBe('first\nlast\nada was away\n');
    await ada.page.context().setOffline(false);
    await expect(ada.banner).toHaveCount(0);
    await expect(ada.status).toContainText('Live, saved');
    await both(ada, grace, 'grace was here\nfirst\nlast\nada was away\n');
    await expect.poll(() => grace.cursorNames()).toHaveLength(1);
});

test('a full room says that it takes no more, and asks before a reload', async ({ guest }) => {
    const ada = await guest();
    let socket: WebSocketRoute | undefined;
    await between(ada.page, { open: (route) => (socket = route) });
    await ada.open('x = 1\n');
    socket!.send(frame({ refused: 'room_full' }));
    await expect(ada.banner).toContainText('This room is full');
    await expect(ada.banner.getByRole('button', { name: 'Reload' })).toBeVisible();
    await ada.focus(); // a page that nobody has touched may not ask
    const asked = ada.page.waitForEvent('dialog');
    await ada.page.close({ runBeforeUnload: true });
    const dialog = await asked;
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
});

test('nobody writes before the text has come', async ({ guest }) => {
    const ada = await guest();
    await ada.open("print('there')\n");
    const grace = await guest();
    let letThrough: (() => void) | undefined;
    await grace.page.routeWebSocket(/\/collab\//, async (route) => {
        // Open, but silent at first: a room that is still being read.
        await new Promise<void>((resolve) => (letThrough = resolve));
        route.connectToServer();
    });
    await grace.page.goto(ada.path);
    await expect(grace.banner).toContainText('The room cannot be reached');
    await expect(grace.status).toContainText('Offline');
    await expect(grace.button).toHaveAttribute('data-mode', 'offline');
    await grace.page.locator('.monaco-editor').first().click();
    await grace.page.keyboard.type('lost');
    expect(await grace.shownText()).toBe('');
    letThrough!();
    await grace.ready();
    await expect.poll(() => grace.shownText()).toBe("print('there')\n");
    await expect.poll(() => ada.shownText()).toBe("print('there')\n");
});

test('both see one run live, with who ran it', async ({ guest }) => {
    const ada = await guest('Ada');
    await ada.open(
        "import time\nprint('one', flush=True)\ntime.sleep(3.5)\nprint('two')\ntime.sleep(0.5)\n1/0",
    );
    const grace = await guest('Grace');
    await grace.join(ada.path);
    await grace.run();
    const seesItRun = async (vve: Vve, title: string): Promise<void> => {
        await expect(vve.last).toContainText('one');
        await expect(vve.chip).toHaveText('Running');
        await expect(vve.button).toHaveAttribute('data-mode', 'running');
        await expect(vve.last).not.toContainText('two');
        await expect(vve.last).toHaveAccessibleName(title);
    };
    await Promise.all([seesItRun(ada, 'Run by Grace'), seesItRun(grace, 'Run by you')]);
    for (const vve of [ada, grace]) {
        await expect(vve.last).toContainText('two');
        await expect(vve.chip).toContainText('Error');
        await expect(vve.last.getByText('one', { exact: true })).toHaveCount(1);
        await expect(vve.button).toHaveAttribute('data-mode', 'idle');
        // The line that failed is marked for everybody.
        await expect(vve.page.locator('.view-lines')).toContainText('ZeroDivisionError');
    }
    const kato = await guest('Kato');
    await kato.join(ada.path);
    await expect(kato.last).toHaveAccessibleName('Run by Grace');
    await expect(kato.last).toContainText('two');
    await expect(kato.chip).toContainText('Error');
});

test('anybody may stop a run', async ({ guest }) => {
    const ada = await guest('Ada');
    await ada.open("print('looping', flush=True)\nwhile True:\n    pass");
    const grace = await guest('Grace');
    await grace.join(ada.path);
    await ada.run();
    await expect(grace.last).toContainText('looping');
    await expect(grace.button).toHaveAttribute(
        'title',
        'Stop the program that Ada runs (Ctrl+.)',
    );
    await grace.button.click();
    for (const vve of [ada, grace]) {
        await expect(vve.chip).toContainText('Stopped');
    }
});

test('runs of two people come in one order', async ({ guest }) => {
    const ada = await guest('Ada');
    await ada.open("print('same')");
    const grace = await guest('Grace');
    await grace.join(ada.path);
    await Promise.all([ada.run(), grace.run()]);
    const titles = async ({ page }: Vve): Promise<string[]> => {
        const all = await page
            .locator('section')
            .evaluateAll((blocks) =>
                blocks.map((block) => block.getAttribute('aria-label') ?? ''),
            );
        return all;
    };
    await expect(ada.button).toHaveAttribute('data-mode', 'idle');
    await expect(grace.button).toHaveAttribute('data-mode', 'idle');
    await expect
        .poll(async () => {
            const own = { 'Run by you': 'Run by Ada' } as Record<string, string>;
            const theirs = { 'Run by you': 'Run by Grace' } as Record<string, string>;
            const a = (await titles(ada)).map((title) => own[title] ?? title);
            const b = (await titles(grace)).map((title) => theirs[title] ?? title);
            return a.length > 0 && JSON.stringify(a) === JSON.stringify(b);
        })
        .toBe(true);
});

const HOSTILE = [
    '"><img src=x onerror=alert(1)>',
    '"}*{display:none}\\',
    '</style><script>alert(1)</script>',
    "';}@import 'http://example.com/x.css';",
];

for (const name of HOSTILE) {
    test(`shows the name ${name} and does nothing else`, async ({ guest, baseURL }) => {
        const ada = await guest('Ada');
        await ada.open('x = 1\n');
        const stranger = await new Stranger(baseURL!, ada.roomId).joined();
        try {
            const place = { type: null, tname: 'monaco', item: null, assoc: 0 };
            stranger.say({
                user: { name, colour: 'red;}body{display:none', color: name },
                selection: { anchor: place, head: place },
            });
            const shown = name.slice(0, 24).trim();
            await expect
                .poll(async () => (await ada.cursorNames()).map((css) => JSON.parse(css)))
                .toEqual([shown]);
            await ada.page.getByRole('button', { name: 'People: 2 here' }).click();
            await expect(ada.page.getByRole('listitem').last()).toContainText(shown);
            expect(await ada.page.locator('img, body script').count()).toBe(
                await ada.page.locator('body script[src^="/assets/"]').count(),
            );
            await expect(ada.page.locator('.monaco-editor').first()).toBeVisible();
        } finally {
            stranger.leave();
        }
    });
}

test('cursors at impossible places disturb nobody', async ({ guest, baseURL }) => {
    const ada = await guest('Ada');
    await ada.open('x = 1\n');
    const grace = await guest('Grace');
    await grace.join(ada.path);
    const stranger = await new Stranger(baseURL!, ada.roomId).joined();
    try {
        const places: unknown[] = [
            7,
            {},
            { tname: 'monaco', item: {} },
            { tname: 'monaco', item: { client: ada.roomId, clock: 'x' } },
            // Somebody who has written, and a place that is none: what would be looked for.
            { tname: 'monaco', item: { client: [...stranger.doc.store.clients.keys()][0] } },
            { tname: 'monaco', item: { client: 1e308, clock: -1 } },
            { tname: 'other', item: null },
            { type: { client: 1, clock: 2 }, tname: null, item: null },
        ];
        for (const place of places) {
            stranger.say({ user: null, selection: { anchor: place, head: place } });
            await ada.focus();
            await ada.page.keyboard.type('.');
        }
        await both(ada, grace, `x = 1\n${'.'.repeat(places.length)}`);
        await expect.poll(() => grace.cursorNames()).toEqual(['"Ada"']);
    } finally {
        stranger.leave();
    }
});

test('line ends and things that are no text do not shift anything', async ({
    guest,
    baseURL,
}) => {
    const ada = await guest('Ada');
    const stranger = await new Stranger(baseURL!, 'line-ends').joined();
    stranger.text.delete(0, stranger.text.length);
    stranger.text.insert(0, 'one\r\ntwo\r\n');
    try {
        await ada.join('/r/line-ends');
        await expect.poll(() => ada.editorText()).toBe('one\ntwo\n');
        await ada.focus();
        await ada.page.keyboard.type('END');
        await expect.poll(() => ada.editorText()).toBe('one\ntwo\nEND');
        stranger.text.insert(0, 'zero\r\n');
        await expect.poll(() => ada.editorText()).toBe('zero\none\ntwo\nEND');
        await ada.page.keyboard.type('!');
        await expect.poll(() => ada.editorText()).toBe('zero\none\ntwo\nEND!');
        stranger.text.insertEmbed(2, { image: 'x' });
        await expect.poll(() => stranger.text.length).toBe('zero\none\ntwo\nEND!'.length);
        await ada.page.keyboard.type('?');
        await expect.poll(() => ada.editorText()).toBe('zero\none\ntwo\nEND!?');
        await expect.poll(() => ada.shownText()).toBe('zero\none\ntwo\nEND!?');
    } finally {
        stranger.leave();
    }
});

test('says when the server does not store what is typed', async ({ guest }) => {
    const ada = await guest();
    let socket: WebSocketRoute | undefined;
    await between(ada.page, { open: (route) => (socket = route) });
    await ada.open('x = 1\n');
    socket!.send(frame({ saved: false }));
    await expect(ada.status).toContainText('Live, not saved');
    const notice = ada.page.getByRole('status').filter({ hasText: 'cannot store changes' });
    await expect(notice).toBeVisible();
    socket!.send(frame({ saved: true }));
    await expect(ada.status).toContainText('Live, saved');
    await expect(notice).toHaveCount(0);
});

test('stops trying when the room has grown too large', async ({ guest }) => {
    const ada = await guest();
    const sockets: WebSocketRoute[] = [];
    await between(ada.page, { open: (route) => sockets.push(route) });
    await ada.open('x = 1\n');
    await sockets[0]!.close({ code: 1009, reason: 'the document would become too large' });
    await expect(ada.banner).toContainText('larger than a room may be');
    await expect(ada.status).toContainText('Not connected');
    await ada.focus();
    await ada.page.keyboard.type('kept');
    await expect.poll(() => ada.shownText()).toContain('kept');
    expect(sockets).toHaveLength(1);
});

test('an address that cannot be a room says so', async ({ guest }) => {
    const ada = await guest();
    await ada.page.goto('/r/no%20room');
    await expect(ada.banner).toContainText('no room with this address');
    await expect(ada.status).toContainText('Not connected');
    await ada.page.getByRole('link', { name: 'Make a new room' }).click();
    await ada.ready();
    expect(ada.path).toMatch(ADDRESS);
});

test('shows at least the own run when the room tells nothing', async ({ guest }) => {
    const ada = await guest('Ada');
    await between(ada.page, { drop: (message) => message[0] === 100 });
    await ada.open("print('alone')");
    await ada.run();
    await expect(ada.last).toContainText('alone');
    await expect(ada.last).toHaveAccessibleName('Run by you');
    await expect(ada.chip).toContainText('Done');

    const gone = { status: 404, json: { error: { code: 'not_found', message: 'Unknown.' } } };
    await ada.page.route('**/api/jobs/*/events', (route) => route.fulfill(gone));
    await ada.page.route('**/api/status/*', (route) => route.fulfill(gone));
    await ada.run();
    await expect(ada.chip).toHaveText('Lost');
    await expect(ada.last).toContainText('The server no longer knows this run. Run again.');
});

test('the plain box edits the same text', async ({ guest }) => {
    const ada = await guest('Ada');
    await ada.open('one\nthree\n');
    const grace = await guest('Grace');
    await grace.page.route('**/assets/monaco-*.js', (route) => route.abort());
    await grace.page.goto(ada.path);
    const box = grace.page.getByRole('textbox', { name: 'main.py' });
    await expect(box).toHaveValue('one\nthree\n');
    await box.focus();
    await grace.page.keyboard.press('Control+End');
    await ada.focus();
    await ada.page.keyboard.press('Control+Home');
    await ada.typeLine('zero');
    await expect(box).toHaveValue('zero\none\nthree\n');
    await grace.page.keyboard.type('four');
    await expect.poll(() => ada.shownText()).toBe('zero\none\nthree\nfour');

    // What the box itself would undo is gone with the first edit of somebody else.
    await ada.page.keyboard.type('# ');
    await expect(box).toHaveValue('zero\n# one\nthree\nfour');
    await grace.page.keyboard.press('Control+z');
    await expect.poll(() => ada.shownText()).toBe('zero\n# one\nthree\n');
    await grace.page.keyboard.press('Control+Shift+Z');
    await expect.poll(() => ada.shownText()).toBe('zero\n# one\nthree\nfour');
    await grace.page.getByRole('button', { name: 'File' }).click();
    await grace.page.getByRole('menuitem', { name: 'Game of Life' }).click();
    await grace.page.getByRole('button', { name: 'Replace' }).click();
    await expect.poll(() => ada.editorText()).toContain('GLIDER');
    await box.focus();
    await grace.page.keyboard.press('Control+z');
    await expect(box).toHaveValue('zero\n# one\nthree\nfour');
});

// What goes wrong in an editor made by the plain recipe, shown beside a page on which the same hands
// do not make it go wrong. Where that second half is a test of its own, its file is named.
import type { Page, WebSocketRoute } from '@playwright/test';
import { PlainPage } from './plainPage.js';
import { Stranger } from './stranger.js';
import { expect, test as base } from './vve.js';

interface Editor {
    page: Page;
    focus(): Promise<void>;
}

interface Fixtures {
    /** A tab of somebody whose browser opens plain pages. */
    plain(): Promise<PlainPage>;
    /** Some other program in a room. */
    stranger(roomId: string): Promise<Stranger>;
    /** A room that nobody has been in. */
    room: string;
}

let rooms = 0;

const test = base.extend<Fixtures>({
    plain: async ({ browser, baseURL }, use) => {
        const context = await browser.newContext({ baseURL, bypassCSP: true });
        await use(async () => new PlainPage(await context.newPage()));
        await context.close();
    },
    stranger: async ({ baseURL }, use) => {
        const all: Stranger[] = [];
        await use((roomId) => {
            const stranger = new Stranger(baseURL!, roomId);
            all.push(stranger);
            return stranger.joined();
        });
        all.forEach((stranger) => stranger.leave());
    },
    // Playwright reads from the braces what a fixture needs.
    room: async ({}, use) => {
        await use(`plain-${process.pid}-${Date.now()}-${rooms++}`);
    },
});

test('undo takes back what others wrote', async ({ plain, room, guest, stranger }) => {
    const hands = async (
        ada: Editor,
        grace: Stranger,
        text: () => Promise<string>,
    ): Promise<void> => {
        await ada.focus();
        await ada.page.keyboard.type('# abcdef');
        await expect.poll(text).toBe('# abcdef');
        grace.text.insert(0, '# grace');
        await expect.poll(text).toBe('# grace# abcdef');
        for (let n = 0; n < 6; n++) {
            await ada.page.keyboard.press('Control+z');
        }
    };
    const page = await (await plain()).join(room);
    const theirs = await stranger(room);
    await hands(page, theirs, () => page.shown());
    await expect.poll(() => theirs.text.toString()).not.toContain('# grace');

    const ada = await guest('Ada');
    await ada.open('');
    const grace = await stranger(ada.roomId);
    await hands(ada, grace, () => ada.shownText());
    await expect.poll(() => ada.shownText()).toBe('# grace');
    await expect.poll(() => grace.text.toString()).toBe('# grace');
});

test('line ends of others shift what is typed', async ({ plain, room, guest, stranger }) => {
    const page = await (await plain()).join(room);
    const theirs = await stranger(room);
    theirs.text.insert(0, 'one\r\ntwo\r\n');
    await expect.poll(() => page.shown()).toBe('one\ntwo\n');
    await page.focus();
    await page.page.keyboard.type('END');
    await expect.poll(() => theirs.text.toString()).toContain('END');
    expect(theirs.text.toString()).not.toContain('two\r\nEND');

    const ada = await guest('Ada');
    await ada.open('');
    const grace = await stranger(ada.roomId);
    grace.text.insert(0, 'one\r\ntwo\r\n');
    await expect.poll(() => ada.shownText()).toBe('one\ntwo\n');
    await ada.focus();
    await ada.page.keyboard.type('END');
    await expect.poll(() => grace.text.toString()).toBe('one\ntwo\nEND');
});

test('a name becomes style', async ({ plain, room, guest, stranger }) => {
    const user = { name: '"}*{display:none}x{"' };
    const page = await (await plain()).join(room);
    await expect(page.page.locator('#editor')).toBeVisible();
    (await stranger(room)).say({ user });
    await expect(page.page.locator('#editor')).toBeHidden();

    const ada = await guest('Ada');
    await ada.open('');
    (await stranger(ada.roomId)).say({ user });
    await expect(ada.status).toContainText('2 people');
    await expect(ada.page.locator('.monaco-editor').first()).toBeVisible();
});

// room.spec.ts: nobody writes before the text has come.
test('what is typed before the text has come lands in it', async ({
    plain,
    room,
    stranger,
}) => {
    const theirs = await stranger(room);
    theirs.text.insert(0, 'there');
    const page = await plain();
    let letThrough: (() => void) | undefined;
    await page.page.routeWebSocket(/\/collab\//, async (route) => {
        await new Promise<void>((resolve) => (letThrough = resolve));
        route.connectToServer();
    });
    await page.join(room);
    await page.focus();
    await page.page.keyboard.type('lost');
    letThrough!();
    await expect.poll(() => theirs.text.toString()).toContain('lost');
});

// traps.spec.ts: two tabs of one browser meet at the server only.
test('tabs of one browser agree without any server', async ({ plain, room }) => {
    const [one, other] = [await plain(), await plain()];
    const open = new Set<WebSocketRoute>();
    await one.page.context().routeWebSocket(/\/collab\//, (route) => void open.add(route));
    await one.join(room);
    await other.join(room);
    await one.focus();
    await one.page.keyboard.type('# no server');
    await expect.poll(() => other.shown()).toBe('# no server');
    expect(open.size).toBe(2); // and neither was ever answered
});

// alone.spec.ts: who is alone in a room for 90 seconds stays connected.
test('a server that has nothing to say is given up', async ({ plain, room }) => {
    const page = await plain();
    let sockets = 0;
    await page.page.routeWebSocket(/\/collab\//, () => void sockets++);
    await page.page.clock.install();
    await page.join(room);
    await expect.poll(() => sockets).toBe(1);
    await page.page.clock.runFor(40_000);
    await expect.poll(() => sockets).toBe(2);
});

// traps.spec.ts: in strict mode there is one binding, one socket and one person.
test('what is mounted twice is two people', async ({ plain, room, stranger }) => {
    await (await plain()).join(room, { mounts: '2' });
    const theirs = await stranger(room);
    await expect.poll(() => theirs.others()).toBe(2);
});

// people.spec.ts: the name at a cursor goes after a while, and is there under the pointer.
test('a name stays at its cursor, over the code there', async ({ plain, room, stranger }) => {
    const page = await plain();
    await page.page.clock.install();
    await page.join(room);
    const theirs = await stranger(room);
    theirs.text.insert(0, 'one\ntwo');
    const place = { type: null, tname: 'monaco', item: null, assoc: 0 };
    theirs.say({ user: { name: 'Grace' }, selection: { anchor: place, head: place } });
    const head = page.page.locator('.yRemoteSelectionHead');
    const shown = () =>
        head.evaluate((at) => {
            const { content, visibility, opacity } = getComputedStyle(at, '::after');
            return [content, visibility, opacity];
        });
    await expect.poll(shown).toEqual(['"Grace"', 'visible', '1']);
    await page.page.clock.runFor(60_000);
    expect(await shown()).toEqual(['"Grace"', 'visible', '1']);
});

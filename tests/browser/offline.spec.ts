// What is typed while the connection is away, and what the page says of it.
import type { Page, WebSocketRoute } from '@playwright/test';
import { startRedis } from '../integration/lib/redis.js';
import { startHouse } from '../rooms/lib/house.js';
import { expect, test, Vve } from './vve.js';

interface Gate {
    close(): void;
    open(): void;
}

/** Stands between a page that is yet to be loaded and its room. */
async function gateOf(page: Page): Promise<Gate> {
    let open = (): void => undefined;
    let passage = Promise.resolve();
    await page.routeWebSocket(/\/collab\//, async (route) => {
        await passage;
        route.connectToServer();
    });
    return {
        close: () => (passage = new Promise((resolve) => (open = resolve))),
        open: () => open(),
    };
}

/** Whether the page would ask before it is left. */
function asks({ page }: Vve): Promise<boolean> {
    return page.evaluate(
        () => !window.dispatchEvent(new Event('beforeunload', { cancelable: true })),
    );
}

async function goOffline(vve: Vve): Promise<void> {
    await vve.page.context().setOffline(true);
    await expect(vve.banner).toContainText('Keep typing');
}

test('what is typed offline survives a reload, and is merged once', async ({ guest }) => {
    const ada = await guest('Ada');
    const gate = await gateOf(ada.page);
    await ada.open('first\nlast\n');
    const grace = await guest('Grace');
    await grace.join(ada.path);
    await ada.focus();
    await goOffline(ada);
    await expect(ada.banner).toContainText('in this browser');
    await ada.typeLine('ada was away');
    await expect.poll(() => asks(ada)).toBe(false);
    await grace.focus();
    await grace.typeLine('grace was here');

    gate.close();
    await ada.page.context().setOffline(false);
    await ada.page.reload();
    await expect.poll(() => ada.shownText()).toBe('first\nlast\nada was away\n');
    await expect(ada.status).toContainText('Offline');
    await ada.focus();
    await ada.typeLine('and came back');
    await expect.poll(() => ada.shownText()).toContain('and came back');
    expect(await grace.editorText()).not.toContain('ada');

    gate.open();
    await ada.ready();
    for (const line of ['first', 'last', 'ada was away', 'and came back', 'grace was here']) {
        await expect.poll(() => grace.shownText()).toContain(line);
        expect((await ada.editorText()).split(line)).toHaveLength(2);
    }
    await expect
        .poll(async () => (await ada.shownText()) === (await grace.shownText()))
        .toBe(true);
    await ada.page.reload();
    await ada.ready();
    await expect
        .poll(async () => (await ada.shownText()) === (await grace.shownText()))
        .toBe(true);
});

test('asks before unsent work is thrown away when the browser may not keep it', async ({
    guest,
}) => {
    const ada = await guest();
    await ada.page.addInitScript(() => {
        Object.defineProperty(window, 'indexedDB', {
            get: () => {
                throw new DOMException('The user denied it.', 'SecurityError');
            },
        });
    });
    await ada.open('x = 1\n');
    await ada.focus();
    await ada.page.keyboard.type('# sent\n');
    await expect.poll(() => ada.editorText()).toContain('# sent');
    await expect.poll(() => asks(ada)).toBe(false);
    await goOffline(ada);
    await expect(ada.banner).toContainText('on this page');
    await ada.page.keyboard.type('# kept\n');
    const asked = ada.page.waitForEvent('dialog');
    await ada.page.close({ runBeforeUnload: true });
    const dialog = await asked;
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
    await ada.page.context().setOffline(false);
    await expect.poll(() => ada.editorText()).toContain('# kept');
});

test('keeps nothing on a shared computer', async ({ guest }) => {
    const ada = await guest();
    await ada.open('x = 1\n');
    const rooms = () =>
        ada.page.evaluate(async () =>
            (await indexedDB.databases())
                .map(({ name }) => name ?? '')
                .filter((name) => name.startsWith('vve:room:')),
        );
    await expect.poll(rooms).toEqual([`vve:room:${ada.roomId}`]);
    await ada.page.getByRole('button', { name: 'Settings' }).click();
    await ada.page.getByRole('switch', { name: 'Keep my edits in this browser' }).uncheck();
    await ada.page.keyboard.press('Escape');
    await expect.poll(rooms).toEqual([]);
    await ada.page.reload();
    await ada.ready();
    await ada.focus();
    await goOffline(ada);
    await expect(ada.banner).toContainText('on this page');
    await ada.page.keyboard.type('#');
    expect(await asks(ada)).toBe(true);
    expect(await rooms()).toEqual([]);
});

test('does not bring back what the room has turned down', async ({ guest }) => {
    const ada = await guest();
    let socket: WebSocketRoute | undefined;
    let isMuted = false;
    await ada.page.routeWebSocket(/\/collab\//, (route) => {
        const server = route.connectToServer();
        socket = route;
        route.onMessage((message) => {
            if (!isMuted) {
                server.send(message);
            }
        });
    });
    await ada.open('x = 1\n');
    await ada.focus();
    isMuted = true;
    await ada.page.keyboard.type('# too much');
    socket!.send(Buffer.from([100, 23, ...Buffer.from('{"refused":"room_full"}')]));
    await expect(ada.banner).toContainText('This room is full');
    await expect(ada.status).toContainText('Live, not saved');
    expect(await asks(ada)).toBe(true);
    ada.page.on('dialog', (dialog) => void dialog.accept());
    isMuted = false;
    await ada.page.reload();
    await ada.ready();
    await expect.poll(() => ada.shownText()).toBe('x = 1\n');
    expect(await ada.editorText()).toBe('x = 1\n');
});

test('a daemon that was killed is forgiven: merged, and nothing doubled', async ({
    browser,
}) => {
    const redis = await startRedis();
    const house = await startHouse(redis, ['--role', 'gateway']);
    const baseURL = `http://127.0.0.1:${house.port}`;
    const people: Vve[] = [];
    try {
        for (const name of ['Ada', 'Grace']) {
            const context = await browser.newContext({ baseURL });
            const page = await context.newPage();
            await page.addInitScript(
                (me) => localStorage.setItem('vve:me', me),
                JSON.stringify({ name, colour: 1 }),
            );
            people.push(new Vve(page));
        }
        const [ada, grace] = people as [Vve, Vve];
        await ada.open('first\n');
        await grace.join(ada.path);
        await ada.focus();
        await ada.typeLine('before');
        await expect.poll(() => grace.shownText()).toBe('first\nbefore\n');

        await house.kill();
        for (const vve of people) {
            await expect(vve.status).toContainText('Offline');
            await expect(vve.banner).toContainText('Keep typing');
        }
        await ada.typeLine('ada meanwhile');
        await grace.focus();
        await grace.typeLine('grace meanwhile');
        await house.start();
        for (const vve of people) {
            await expect(vve.status).toContainText(/Reconnected|Live, saved/);
            await expect(vve.status).toContainText('Live, saved');
            await expect(vve.banner).toHaveCount(0);
        }
        await expect.poll(() => ada.shownText()).toContain('grace meanwhile');
        const text = await ada.editorText();
        expect(text.split('\n').sort()).toEqual(
            ['first', 'before', 'ada meanwhile', 'grace meanwhile', ''].sort(),
        );
        for (const vve of people) {
            await expect.poll(() => vve.shownText()).toBe(text);
        }
    } finally {
        for (const vve of people) {
            await vve.page.context().close();
        }
        await house.stop();
        await redis.stop();
    }
});

test('forgets a room that was not used for a week', async ({ guest }) => {
    const ada = await guest();
    await ada.open('x = 1\n');
    const old = ada.roomId;
    const rooms = () =>
        ada.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    await expect.poll(rooms).toContain(`vve:room:${old}`);
    await ada.page.evaluate(() => {
        const kept = JSON.parse(localStorage.getItem('vve:rooms')!) as Record<string, number>;
        for (const room of Object.keys(kept)) {
            kept[room] = Date.now() - 8 * 24 * 60 * 60 * 1000;
        }
        localStorage.setItem('vve:rooms', JSON.stringify(kept));
    });
    await ada.join('/');
    await expect.poll(rooms).toContain(`vve:room:${ada.roomId}`);
    await expect.poll(rooms).not.toContain(`vve:room:${old}`);
});

test('says that it is saving while the daemon does not answer, and that it is back', async ({
    guest,
}) => {
    const ada = await guest();
    const held: Buffer[] = [];
    let isHolding = false;
    let isCut = false;
    let send: (message: Buffer) => void = () => undefined;
    let cut: () => Promise<void> = () => Promise.resolve();
    await ada.page.routeWebSocket(/\/collab\//, (route) => {
        if (isCut) {
            return; // accepted, and silent for ever
        }
        cut = () => route.close({ code: 1012 });
        const server = route.connectToServer();
        send = (message) => route.send(message);
        server.onMessage((message) => {
            if (isHolding) {
                held.push(message as Buffer);
            } else {
                route.send(message);
            }
        });
    });
    await ada.open('x = 1\n');
    await ada.focus();
    await ada.page.keyboard.type('# one');
    await expect.poll(() => asks(ada)).toBe(false);
    await expect(ada.status).toContainText('Live, saved');
    isHolding = true;
    await ada.page.keyboard.type('# two');
    await expect(ada.status).toContainText('Live, saving');
    isHolding = false;
    held.forEach(send);
    await expect(ada.status).toContainText('Live, saved');

    isCut = true;
    await cut();
    await expect(ada.status).toContainText('Offline');
    isCut = false;
    await ada.banner.getByRole('button', { name: 'Retry now' }).click();
    await expect(ada.status).toContainText('Reconnected');
    await expect(ada.status).toContainText('Live, saved');
});

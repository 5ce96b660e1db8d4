// What shared editors of this make have fallen into before.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WebSocketRoute } from '@playwright/test';
import { expect, test, Vve } from './vve.js';

const WEB = fileURLToPath(new URL('../../web', import.meta.url));

// Two tabs of one browser could tell each other without any server, and tests with them would pass
// whatever the server did.
test('two tabs of one browser meet at the server only', async ({ guest }) => {
    const ada = await guest('Ada');
    const context = ada.page.context();
    const open = new Set<WebSocketRoute>();
    let isCut = false;
    await context.routeWebSocket(/\/collab\//, (route) => {
        if (isCut) {
            return; // accepted, and silent for ever
        }
        open.add(route);
        route.connectToServer();
    });
    await ada.open('x = 1\n');
    const tab = new Vve(await context.newPage());
    await tab.join(ada.path);
    isCut = true;
    for (const route of open) {
        await route.close({ code: 1012 });
    }
    for (const vve of [ada, tab]) {
        await expect(vve.status).toContainText('Offline');
    }
    await ada.focus();
    await ada.page.keyboard.type('# alone');
    await expect.poll(() => ada.shownText()).toBe('x = 1\n# alone');
    // A message from tab to tab would be there before the next frame of this one.
    await tab.page.bringToFront();
    await tab.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    expect(await tab.shownText()).toBe('x = 1\n');
    isCut = false;
    for (const vve of [ada, tab]) {
        await vve.banner.getByRole('button', { name: 'Retry now' }).click();
    }
    await expect.poll(() => tab.shownText()).toBe('x = 1\n# alone');
});

test('an error is marked for everybody, and its link follows the line', async ({ guest }) => {
    const ada = await guest('Ada');
    const grace = await guest('Grace');
    await ada.open('#1\n#2\n#3\n#4\n#5\n#6\nprint(missing)\n');
    await grace.join(ada.path);
    await grace.run();
    for (const vve of [ada, grace]) {
        await expect(vve.last).toContainText(vve === ada ? 'Run by Grace' : 'Run by you');
        await expect(vve.chip).toContainText('Error');
        await expect(vve.page.locator('.view-lines')).toContainText('NameError');
    }
    await ada.focus();
    await ada.page.keyboard.press('Control+Home');
    await ada.typeLine('# a\n# b\n# c');
    for (const vve of [ada, grace]) {
        await vve.last.getByRole('button', { name: 'main.py, line 10', exact: true }).click();
        await expect(vve.status).toContainText('Ln 10, Col 1');
        await expect(vve.page.locator('.view-lines')).toContainText('NameError');
    }
    await grace.page.keyboard.type('#');
    for (const vve of [ada, grace]) {
        await expect(vve.page.locator('.view-lines')).not.toContainText('NameError');
        await expect(vve.last).toContainText('main.py, line 10, edited since');
    }
});

test('ten megabytes of output leave a page that can be used', async ({ guest }) => {
    const ada = await guest('Ada');
    await ada.open(
        "import sys\nfor _ in range(10): sys.stdout.write('x' * 99 + chr(10)) ; sys.stdout.write(('y' * 99 + chr(10)) * 10486)\n",
    );
    await ada.run();
    await expect(ada.chip).toContainText('Too much output');
    await expect(ada.last).toContainText('Output cut at 10 KB');
    await ada.focus();
    await ada.page.keyboard.type('# still here');
    await expect.poll(() => ada.editorText()).toContain('# still here');
});

// React's development build mounts everything twice and says so loudly when that leaves something
// behind: a second binding would type everything twice, a second socket would be a second person.
test('in strict mode there is one binding, one socket and one person', async ({
    guest,
    browser,
    baseURL,
}) => {
    const server = spawn('npx', ['vite', '--port', '0', '--host', '127.0.0.1'], {
        cwd: WEB,
        env: { ...process.env, VVE_URL: baseURL, NO_COLOR: '1', FORCE_COLOR: undefined },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
    });
    try {
        const address = await new Promise<string>((resolve, reject) => {
            let said = '';
            server.on('exit', () => reject(new Error(`vite ended: ${said}`)));
            server.stdout.on('data', (chunk: Buffer) => {
                said += String(chunk);
                const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
                if (url) {
                    resolve(url);
                }
            });
        });
        const context = await browser.newContext({ baseURL: address });
        const page = await context.newPage();
        const sockets: string[] = [];
        page.on('websocket', (socket) => sockets.push(socket.url()));
        const strict = new Vve(page);
        await page.goto('/');
        await expect(strict.status).toContainText('Live, saved', { timeout: 90_000 });
        const grace = await guest('Grace');
        await grace.join(strict.path);
        await expect(grace.status).toContainText('2 people');
        await strict.focus();
        await page.keyboard.press('Control+a');
        await page.keyboard.insertText('abc');
        await expect.poll(() => grace.shownText()).toBe('abc');
        await grace.focus();
        await grace.page.keyboard.insertText('def');
        await expect.poll(() => strict.shownText()).toBe('abcdef');
        expect(sockets.filter((url) => url.includes('/collab/'))).toHaveLength(1);
        await expect(strict.status).toContainText('2 people');
        await context.close();
    } finally {
        process.kill(-server.pid!, 'SIGTERM');
    }
});

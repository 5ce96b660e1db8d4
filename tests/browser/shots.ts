// Pictures of the page for people to look at, not a test: SHOTS names the folder they go to.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './vve.js';

const folder = process.env.SHOTS;

const PROGRAM = `import statistics as st

def summarise(scores):
    """Mean and spread of a list of scores."""
    mean = st.mean(scores)
    spread = st.stdev(scores)
    return maen, spread

scores = [12, 15, 9, 18]
print("\\x1b[32mscores loaded:\\x1b[0m", len(scores))
print(summarise(scores))
`;

async function shootTo(state: string, name: string, page: Page): Promise<void> {
    if (!folder) {
        throw new Error('SHOTS is not set: it names the folder for the pictures');
    }
    await page.screenshot({ path: join(folder, `${name}-${state}.png`) });
}

const SIZES = {
    wide: { width: 1280, height: 720 },
    stacked: { width: 900, height: 900 },
    phone: { width: 390, height: 780 },
};

for (const theme of ['light', 'dark'] as const) {
    for (const [name, viewport] of Object.entries(SIZES)) {
        test(`${theme} ${name}`, async ({ vve }) => {
            const shoot = (state: string): Promise<void> =>
                shootTo(state, `${name}-${theme}`, vve.page);
            await vve.page.emulateMedia({ colorScheme: theme });
            await vve.page.setViewportSize(viewport);
            await vve.open(PROGRAM);
            const letters = vve.page.locator('.view-lines [class*="mtk"]');
            await expect.poll(() => letters.count(), 'coloured').toBeGreaterThan(30);
            await shoot('first');
            await vve.run();
            await expect(vve.chip).toContainText('Error');
            await shoot('error');
            if (name === 'phone') {
                await vve.page.getByRole('tab', { name: 'Code' }).click();
                await shoot('code');
            }
            await vve.page.locator('.monaco-editor').first().click();
            await vve.page.keyboard.press('Control+a');
            await vve.page.keyboard.insertText(
                'import time\nfor n in range(9): print("step", n, flush=True); time.sleep(0.5)',
            );
            await vve.run();
            await expect(vve.last).toContainText('step 2');
            await shoot('running');
        });
    }
}

for (const theme of ['light', 'dark'] as const) {
    test(`${theme} together`, async ({ guest }) => {
        const ada = await guest('Ada Lovelace');
        const grace = await guest('Grace');
        const kato = await guest('Kato');
        await ada.page.emulateMedia({ colorScheme: theme });
        await ada.open(PROGRAM);
        for (const vve of [grace, kato]) {
            await vve.join(ada.path);
        }
        await grace.run();
        await expect(ada.chip).toContainText('Error');
        await kato.page.getByRole('button', { name: /^People/ }).click();
        await kato.page.getByRole('button', { name: 'Teal' }).click();
        await kato.page.keyboard.press('Escape');
        await kato.page.locator('.view-line').nth(4).click();
        await kato.page.keyboard.press('Shift+Home');
        await grace.focus();
        await grace.page.keyboard.type('#');
        await expect(ada.page.locator('.yRemoteSelectionHead')).toHaveCount(2);
        await shootTo('together', theme, ada.page);
        await ada.page.getByRole('button', { name: /^People/ }).click();
        await shootTo('people', theme, ada.page);
        await ada.page.setViewportSize(SIZES.phone);
        await shootTo('people-phone', theme, ada.page);
        await ada.page.keyboard.press('Escape');
        await ada.page.context().setOffline(true);
        await expect(ada.banner).toContainText('Offline');
        await shootTo('offline-phone', theme, ada.page);
    });
}

for (const theme of ['light', 'dark'] as const) {
    test(`${theme} people`, async ({ guest }) => {
        const ada = await guest();
        await ada.page.emulateMedia({ colorScheme: theme });
        await ada.open(Array.from({ length: 80 }, (_, at) => `print(${at + 1})\n`).join(''));
        await shootTo('welcome', theme, ada.page);
        await ada.page.setViewportSize(SIZES.phone);
        await shootTo('welcome-phone', theme, ada.page);
        await ada.page.setViewportSize(SIZES.wide);
        await ada.page.getByRole('button', { name: 'Keep this name' }).click();
        for (const name of ['Grace Hopper', 'Kato', 'Mina', 'Lin', 'Noor', 'Otto']) {
            const other = await guest(name);
            await other.join(ada.path);
            await other.page.getByRole('button', { name: /^People/ }).click();
            const colours = other.page.getByRole('group', { name: 'Your colour' });
            await colours
                .getByRole('button')
                .nth(name.length - 2)
                .click();
            await other.page.keyboard.press('Escape');
            await other.focus();
            if (name === 'Kato') {
                await other.page.keyboard.press('Control+Home');
                await other.page.keyboard.press('Shift+ArrowDown');
            }
        }
        await expect(ada.page.getByRole('group', { name: /^People below/ })).toBeVisible();
        await shootTo('chips', theme, ada.page);
        await ada.page.setViewportSize(SIZES.phone);
        await shootTo('chips-phone', theme, ada.page);
        await ada.page.getByRole('button', { name: /^People/ }).click();
        await shootTo('list-phone', theme, ada.page);
        await ada.page.setViewportSize(SIZES.wide);
        await shootTo('list', theme, ada.page);
        await ada.page.getByRole('button', { name: 'Follow Grace Hopper' }).click();
        await shootTo('follow', theme, ada.page);
        await ada.page.setViewportSize(SIZES.phone);
        await shootTo('follow-phone', theme, ada.page);
    });
}

for (const theme of ['light', 'dark'] as const) {
    for (const name of ['wide', 'phone'] as const) {
        test(`${theme} ${name} layers`, async ({ vve }) => {
            const { page } = vve;
            const shoot = (state: string): Promise<void> =>
                shootTo(state, `${name}-${theme}`, page);
            const close = async (): Promise<void> => {
                await page.keyboard.press('Escape');
                await expect(page.locator('[role=dialog], [role=menu]')).toHaveCount(0);
            };
            const menu = page.getByRole('button', { name: name === 'phone' ? 'Menu' : 'File' });
            await page.emulateMedia({ colorScheme: theme });
            await page.setViewportSize(
                name === 'phone' ? { width: 360, height: 700 } : SIZES.wide,
            );
            await vve.open('');
            await expect(page.getByRole('button', { name: 'Paint a picture' })).toBeVisible();
            await shoot('empty');
            await page.getByRole('button', { name: 'Paint a picture' }).click();
            await menu.click();
            await expect(page.getByRole('menu')).toBeVisible();
            await shoot('menu');
            await page.getByRole('menuitem', { name: 'Game of Life' }).click();
            await expect(page.getByRole('dialog')).toBeVisible();
            await shoot('question');
            await close();
            await page.getByRole('button', { name: 'Share this room' }).click();
            await expect(page.getByRole('img', { name: /QR/ })).toBeVisible();
            await shoot('share');
            await close();
            if (name === 'phone') {
                await menu.click();
                await page.getByRole('menuitem', { name: 'Settings' }).click();
            } else {
                await page.getByRole('button', { name: 'Settings' }).click();
            }
            await expect(page.getByRole('dialog')).toBeVisible();
            await shoot('settings');
            await close();
            await page.keyboard.press('?');
            await expect(page.getByRole('dialog')).toBeVisible();
            await shoot('keys');
        });
    }
}

const ENDS: Record<string, [code: string, word: string]> = {
    done: ["print('\\x1b[32mall is well\\x1b[0m')", 'Done'],
    exit: ["import sys\nprint('going')\nsys.exit(3)", 'Exit 3'],
    crashed: ['import ctypes\nctypes.string_at(0)', 'Crashed'],
    'time-limit': ["print('on and on')\nwhile True: pass", 'Time limit'],
    memory: ['x = bytearray(300 << 20)', 'Out of memory'],
    truncated: ["for n in range(400): print(n, 'x' * 40)", 'Done'],
    flood: ["while True: print('y' * 1000)", 'Too much output'],
    plot: [
        readFileSync(
            new URL('../../web/src/examples/picture.py', import.meta.url),
            'utf8',
        ).trimEnd(),
        'Done',
    ],
    libraries: ['import json\n\nprint(json.loads("{"))', 'Error'],
};

for (const theme of ['light', 'dark'] as const) {
    test(`${theme} runs`, async ({ guest }) => {
        const ada = await guest('Ada Lovelace');
        const { page } = ada;
        await page.emulateMedia({ colorScheme: theme });
        await ada.open('# to come\n');
        const write = async (code: string): Promise<void> => {
            await ada.focus();
            await page.keyboard.press('Control+a');
            // Typed, the editor would complete brackets and indent lines.
            await page.evaluate((text) => {
                const clipboardData = new DataTransfer();
                clipboardData.setData('text/plain', text);
                const event = { clipboardData, bubbles: true, cancelable: true };
                document.activeElement!.dispatchEvent(new ClipboardEvent('paste', event));
            }, `${code}\n`);
        };
        for (const [name, [code, word]] of Object.entries(ENDS)) {
            await write(code);
            await ada.run();
            await expect(ada.chip).toContainText(word);
            await expect(ada.last.getByRole('img')).toHaveCount(name === 'plot' ? 1 : 0);
            await shootTo(name, theme, page);
            await page.getByRole('button', { name: 'Clear' }).click();
        }
        await write("name = input('name? ')\nprint('hi', name)\nprint(input('age? '))");
        await ada.run();
        const answer = page.getByRole('textbox', { name: 'Answer to the program' });
        await answer.fill('Kim');
        await answer.press('Enter');
        await expect(ada.last).toContainText('age? ');
        await expect(answer).toBeVisible();
        await shootTo('waiting', theme, page);
        await page.setViewportSize(SIZES.phone);
        await shootTo('waiting-phone', theme, page);
        await page.setViewportSize(SIZES.wide);
        await page.keyboard.press('Control+.');
        await expect(ada.chip).toContainText('Stopped');
        await shootTo('stopped', theme, page);
        await ada.last.getByRole('button', { name: /^More about/ }).click();
        await shootTo('run-menu', theme, page);
        await page.keyboard.press('Escape');
        await page.getByRole('tab', { name: 'History' }).click();
        await expect(page.getByRole('list', { name: 'Runs of this room' })).toBeVisible();
        await shootTo('history', theme, page);
        await page.getByRole('button', { name: /Out of memory/ }).click();
        await expect(page.getByText('Red was there')).toBeVisible();
        await expect(page.locator('.line-insert').first()).toBeVisible();
        await shootTo('version', theme, page);
        await page.getByRole('tab', { name: 'Input' }).click();
        await page
            .getByRole('textbox', { name: 'Input for the program' })
            .fill('three\nlines\nof it\n');
        await shootTo('input', theme, page);
    });

    test(`${theme} troubles`, async ({ guest, baseURL }) => {
        const ada = await guest('Ada Lovelace');
        const { page } = ada;
        await page.emulateMedia({ colorScheme: theme });
        let say = (_json: unknown): void => undefined;
        await page.routeWebSocket(/\/collab\//, (route) => {
            route.connectToServer();
            say = (json) => {
                const text = Buffer.from(JSON.stringify(json));
                route.send(Buffer.concat([Buffer.from([100, text.length]), text]));
            };
        });
        await ada.open(PROGRAM);
        await page.route('**/api/execute', (route) =>
            route.fulfill({
                status: 429,
                json: { error: { code: 'rate_limited', message: '', retryAfter: 60 } },
            }),
        );
        await ada.run();
        await expect(ada.button).toHaveAttribute('data-mode', 'held');
        await shootTo('held', theme, page);
        say({ saved: false });
        await expect(page.getByText('cannot store changes')).toBeVisible();
        await shootTo('unsaved', theme, page);
        say({ refused: 'room_full' });
        await expect(ada.banner).toContainText('This room is full');
        await shootTo('full', theme, page);
        await page.unroute('**/api/execute');
        await page.goto(`${baseURL}/r/no%20room`);
        await expect(ada.banner).toContainText('no room with this address');
        await shootTo('bad-address', theme, page);
        await page.route('**/assets/monaco-*', (route) => route.abort());
        await page.goto('/');
        await expect(page.getByText('The editor could not load')).toBeVisible();
        await expect(ada.status).toContainText('Live, saved');
        await shootTo('plain-box', theme, page);
    });
}

// The page itself: what it keeps, what it says when something is refused, keyboard, screen
// reader, themes, phone. The answers that are hard to provoke are made up here; nothing else is.
import { axe } from './axe.js';
import { expect, test } from './vve.js';

test('keeps the text and the last run across a reload', async ({ vve }) => {
    await vve.open('');
    await vve.page.locator('.monaco-editor').first().click();
    await vve.page.keyboard.type("print('kept ü')");
    await vve.run();
    await expect(vve.chip).toContainText('Done');
    await expect.poll(() => vve.editorText()).toBe("print('kept ü')");
    await vve.page.reload();
    await expect(vve.page.locator('.view-lines')).toContainText("print('kept ü')");
    await expect(vve.last).toContainText('kept ü');
    await expect(vve.chip).toContainText('Done');
});

test('follows a run that goes on across a reload', async ({ vve }) => {
    await vve.open("import time\nprint('one', flush=True)\ntime.sleep(4)\nprint('two')");
    await vve.run();
    await expect(vve.last).toContainText('one');
    await vve.page.reload();
    await expect(vve.button).toHaveAttribute('data-mode', 'running');
    await expect(vve.last).toContainText('one');
    await expect(vve.last).toContainText('two');
    await expect(vve.chip).toContainText('Done');
});

test('counts the bytes near the limit and refuses what is over it', async ({
    vve,
    request,
}) => {
    const { codeBytes } = (await (await request.get('/api/limits')).json()) as {
        codeBytes: number;
    };
    const fits = `print(1)${'#'.repeat(codeBytes - 8)}`;
    await vve.open(fits);
    const grouped = codeBytes.toLocaleString('en');
    await expect(vve.page.getByRole('contentinfo')).toContainText(
        `${grouped} / ${grouped} bytes`,
    );
    await vve.run();
    await expect(vve.chip).toContainText('Done');
    await vve.page.locator('.monaco-editor').first().click();
    await vve.page.keyboard.press('Control+End');
    await vve.page.keyboard.type('#');
    await vve.run();
    const over = (codeBytes + 1).toLocaleString('en');
    await expect(vve.page.getByRole('log')).toContainText(
        `The program has ${over} bytes; ${grouped} are the most.`,
    );
});

const REFUSALS = [
    {
        status: 413,
        error: { code: 'code_too_large', message: 'Too large.' },
        says: 'larger than the server takes',
    },
    {
        status: 503,
        error: { code: 'queue_full', message: 'Full.' },
        says: 'places in the queue are taken',
    },
    {
        status: 503,
        error: { code: 'unavailable', message: 'Redis is away.' },
        says: 'cannot take programs right now',
    },
    {
        status: 400,
        error: { code: 'bad_request', message: 'code: holds a NUL.' },
        says: 'The server did not take this: code: holds a NUL.',
    },
];

for (const { status, error, says } of REFUSALS) {
    test(`explains ${status} ${error.code}`, async ({ vve }) => {
        await vve.open('print(1)');
        await vve.page.route('**/api/execute', (route) =>
            route.fulfill({ status, json: { error } }),
        );
        await vve.run();
        await expect(vve.page.getByRole('log')).toContainText(says);
        await expect(vve.page.getByRole('status').filter({ hasText: says })).toHaveCount(1);
        await expect(vve.button).toHaveAttribute('data-mode', 'idle');
    });
}

test('counts down after too many runs, then runs again', async ({ vve }) => {
    await vve.open("print('again')");
    await vve.page.route(
        '**/api/execute',
        (route) =>
            route.fulfill({
                status: 429,
                headers: { 'Retry-After': '4' },
                json: { error: { code: 'rate_limited', message: 'Wait.' } },
            }),
        { times: 1 },
    );
    await vve.run();
    await expect(vve.button).toHaveText(/^Run in [1-4] s$/);
    await expect(vve.button).toHaveAttribute('aria-disabled', 'true');
    await vve.button.focus();
    await expect(vve.button).toBeFocused();
    await expect(vve.page.getByRole('log')).toContainText('times this minute');
    const seconds = async () => Number((await vve.button.textContent())?.replace(/\D/g, ''));
    const first = await seconds();
    // Often asked: no second is there for long.
    await expect.poll(seconds, { intervals: [100] }).toBeLessThan(first);
    await expect(vve.button).toHaveAttribute('data-mode', 'idle');
    await vve.run();
    await expect(vve.last).toContainText('again');
});

test('work that the editor gives up is not an error', async ({ vve }) => {
    await vve.open('');
    await vve.page.evaluate(async () => {
        const heard = new Promise((resolve) => addEventListener('unhandledrejection', resolve));
        void Promise.reject(Object.assign(new Error('Canceled'), { name: 'Canceled' }));
        await heard;
    });
    await vve.page.evaluate(() => undefined); // what is an error has been told before this returns
});

test('says that the server is away, keeps typing, comes back', async ({ vve }) => {
    await vve.open('print(1)');
    await vve.page.context().setOffline(true);
    await expect(vve.page.getByRole('alert').filter({ hasText: 'Keep typing' })).toBeVisible();
    await expect(vve.button).toHaveAttribute('data-mode', 'offline');
    await vve.page.locator('.monaco-editor').first().click();
    await vve.page.keyboard.type('# typed offline\n');
    await expect.poll(() => vve.shownText()).toContain('# typed offline');
    await vve.page.context().setOffline(false);
    await expect(vve.page.getByRole('alert').filter({ hasText: 'Keep typing' })).toBeHidden();
    await expect.poll(() => vve.editorText()).toContain('# typed offline');
    await vve.run();
    await expect(vve.chip).toContainText('Done');
});

test('says so when the request does not get through', async ({ vve }) => {
    await vve.open('print(1)');
    await vve.page.route('**/api/execute', (route) => route.abort());
    await vve.run();
    await expect(vve.page.getByRole('log')).toContainText('Could not reach the server.');
});

test('offers a plain box when the editor cannot load', async ({ vve }) => {
    await vve.page.route('**/assets/monaco-*.js', (route) => route.abort());
    await vve.page.goto('/');
    const box = vve.page.getByRole('textbox', { name: 'main.py' });
    await expect(box).toBeEditable();
    await box.fill("print('plain')");
    await vve.run();
    await expect(vve.last).toContainText('plain');
});

test('goes the main path by keyboard alone', async ({ vve }) => {
    const { page } = vve;
    await vve.open('');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Skip to the editor' })).toBeFocused();
    await page.keyboard.press('Enter');
    await page.keyboard.type("print('by hand')");
    await page.keyboard.press('Control+Enter');
    await expect(vve.last).toContainText('by hand');
    await expect(vve.chip).toContainText('Done');
    await expect.poll(() => vve.editorText()).toBe("print('by hand')");

    await page.keyboard.press('Control+m');
    await expect(page.getByRole('contentinfo')).toContainText('Tab moves focus: on');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('separator')).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(page.getByRole('tab', { name: 'Console' })).toBeFocused();
    await page.keyboard.press('ArrowRight');
    await expect(page.getByRole('tab', { name: 'Input' })).toBeFocused();
    await page.keyboard.press('Tab');
    await page.keyboard.type('typed');
    await page.keyboard.press('F6');
    await page.keyboard.press('F6');
    await page.keyboard.press('Control+a');
    await page.keyboard.type(
        'while True: print(input(), flush=True) or __import__("time").sleep(9)',
    );
    await page.keyboard.press('Control+Enter');
    await expect(vve.last).toContainText('typed');
    await page.keyboard.press('Control+.');
    await expect(vve.chip).toContainText('Stopped');
});

test('downloads main.py with Ctrl+S', async ({ vve }) => {
    await vve.open("print('saved')");
    const arrived = vve.page.waitForEvent('download');
    await vve.page.keyboard.press('Control+s');
    const download = await arrived;
    expect(download.suggestedFilename()).toBe('main.py');
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) {
        chunks.push(chunk as Buffer);
    }
    expect(Buffer.concat(chunks).toString()).toBe("print('saved')");
});

for (const theme of ['light', 'dark'] as const) {
    test(`has no accessibility faults, ${theme}`, async ({ vve }) => {
        await vve.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
        await vve.open(
            "import sys\nprint('\\x1b[32mout\\x1b[0m')\nprint('err', file=sys.stderr)\n1/0",
        );
        await expect(vve.page.locator('html')).toHaveAttribute('data-theme', theme);
        await expect(vve.page.getByRole('log')).toContainText('Nothing has run yet.');
        await axe(vve.page);

        await vve.run();
        await expect(vve.chip).toContainText('Error');
        await axe(vve.page);

        await vve.page.route('**/api/execute', (route) =>
            route.fulfill({
                status: 429,
                json: { error: { code: 'rate_limited', message: '', retryAfter: 60 } },
            }),
        );
        await vve.run();
        await expect(vve.button).toHaveAttribute('data-mode', 'held');
        await axe(vve.page);

        await vve.page.getByRole('tab', { name: 'Input' }).click();
        await axe(vve.page);

        await vve.page.getByRole('button', { name: 'People: only you' }).click();
        await axe(vve.page);
        await vve.page.keyboard.press('Escape');

        await vve.page.setViewportSize({ width: 390, height: 780 });
        await expect(vve.page.getByRole('tab', { name: 'Code' })).toBeVisible();
        await axe(vve.page);
    });
}

test('fits a phone: one pane at a time', async ({ vve }) => {
    const { page } = vve;
    await page.setViewportSize({ width: 390, height: 780 });
    await vve.open('x = 1\nboom');
    const code = page.getByRole('tab', { name: 'Code' });
    await expect(code).toHaveAttribute('aria-selected', 'true');
    await expect(page.getByRole('log')).toBeHidden();
    await vve.run();
    await expect(page.getByRole('tab', { name: /^Console/ }).first()).toHaveAttribute(
        'aria-selected',
        'true',
    );
    await expect(vve.chip).toContainText('Error');
    await expect(page.locator('.monaco-editor').first()).toBeHidden();
    await vve.last.getByRole('button', { name: 'main.py, line 2' }).click();
    await expect(code).toHaveAttribute('aria-selected', 'true');
    await expect(page.getByRole('contentinfo')).toContainText('Ln 2, Col 1');
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    await expect.poll(width).toBeLessThanOrEqual(390);
});

test('what comes after the first paint moves nothing', async ({ vve }) => {
    const { page } = vve;
    let letThrough = (): void => undefined;
    const wait = new Promise<void>((resolve) => (letThrough = resolve));
    await page.route('**/assets/work-*.js', async (route) => {
        await wait;
        await route.continue();
    });
    await page.goto('/', { waitUntil: 'commit' });
    const splitter = page.locator('[data-panel-group-direction]:not([data-panel-group])');
    const parts = [page.getByRole('banner'), splitter, page.getByRole('contentinfo')];
    const places = async () => Promise.all(parts.map((part) => part.boundingBox()));
    await expect(vve.button).toHaveText(/^Run/);
    const before = await places();
    expect(before[1]!.x).toBeGreaterThan(600);
    letThrough();
    await vve.ready();
    const separator = page.getByRole('separator');
    await expect(separator).toBeVisible();
    await expect(page.getByRole('region', { name: 'Your name' })).toBeVisible();
    await expect.poll(places).toEqual(before);

    await separator.press('ArrowLeft');
    await expect.poll(async () => (await places())[1]!.x).toBeLessThan(before[1]!.x);
    const moved = await places();
    await page.reload();
    await expect(separator).toBeVisible();
    await expect.poll(places).toEqual(moved);
});

test('paints the frame before the editor has come', async ({ vve }) => {
    await vve.page.route('**/assets/monaco-*.js', () => undefined);
    await vve.page.goto('/', { waitUntil: 'commit' });
    await expect(vve.button).toHaveText(/^Run/);
    await expect(vve.page.getByRole('log')).toContainText('Nothing has run yet.');
    await expect(vve.page.locator('.monaco-editor')).toHaveCount(0);
});

// What opens over the page: sharing, settings, shortcuts; the keys that lead through it; the phone.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, Vve } from './vve.js';

const BROKEN = 'def f():\n    return missing\n\n\nprint(1)\nf()\n';

function codeStyle({ page }: Vve, property: 'fontSize' | 'lineHeight'): Promise<string> {
    return page
        .locator('.view-line')
        .first()
        .evaluate((line, name) => getComputedStyle(line)[name], property);
}

test('the link to the room is copied, or selected to be copied', async ({ guest }) => {
    const ada = await guest('Ada');
    await ada.open('x = 1\n');
    const { page } = ada;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Share this room' }).click();
    const dialog = page.getByRole('dialog', { name: 'Share this room' });
    await expect(dialog).toHaveAccessibleDescription(
        'Anyone with the link can edit and run code.',
    );
    await expect(dialog.getByRole('textbox', { name: 'Link to this room' })).toHaveValue(
        page.url(),
    );
    await expect(
        dialog.getByRole('img', { name: 'Link to this room as a QR code' }),
    ).toBeVisible();
    await dialog.getByRole('button', { name: 'Copy' }).click();
    await expect(dialog.getByRole('button', { name: 'Copied' })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url());

    await page.evaluate(() => {
        Object.defineProperty(navigator, 'clipboard', { value: undefined });
        document.execCommand = () => false;
    });
    await dialog.getByRole('button', { name: /^Cop(y|ied)$/ }).click();
    await expect(dialog.getByRole('status')).toContainText('press Ctrl+C');
    const selected = () => page.evaluate(() => getSelection()?.toString());
    await expect.poll(selected).toBe(page.url());
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Share this room' })).toBeFocused();
});

test('settings hold at once, and after a reload', async ({ vve }) => {
    const { page } = vve;
    await page.emulateMedia({ colorScheme: 'light' });
    await vve.open(`x = "${'long '.repeat(60)}"\n`);
    const html = page.locator('html');
    const ground = () =>
        page
            .locator('.monaco-editor-background')
            .first()
            .evaluate((element) => getComputedStyle(element).backgroundColor);
    await expect(html).toHaveAttribute('data-theme', 'light');
    await expect.poll(() => codeStyle(vve, 'fontSize')).toBe('14px');
    const lines = page.locator('.view-line');
    await expect(lines).toHaveCount(2);

    await page.getByRole('button', { name: 'Settings' }).click();
    const dialog = page.getByRole('dialog', { name: 'Settings' });
    await dialog.getByRole('radio', { name: 'Dark' }).check();
    await expect(html).toHaveAttribute('data-theme', 'dark');
    await expect.poll(ground).toBe('rgb(27, 28, 31)');
    const larger = dialog.getByRole('button', { name: 'Larger' });
    for (let size = 15; size <= 20; size++) {
        await larger.click();
        await expect.poll(() => codeStyle(vve, 'fontSize')).toBe(`${size}px`);
    }
    await expect(larger).toHaveAttribute('aria-disabled', 'true');
    await larger.click({ force: true });
    await expect.poll(() => codeStyle(vve, 'lineHeight')).toBe('31px');
    await dialog.getByRole('switch', { name: 'Wrap long lines' }).check();
    await expect.poll(() => lines.count()).toBeGreaterThan(2);
    await dialog.getByRole('switch', { name: 'Tab moves focus' }).check();
    // Nothing but the dialog is there for screen readers, and for getByRole.
    await expect(page.locator('footer')).toContainText('Tab moves focus: on');
    await dialog.getByRole('switch', { name: 'Reduce motion' }).check();
    await expect(html).toHaveAttribute('data-motion', 'none');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('button', { name: 'Settings' })).toBeFocused();

    await page.reload();
    await vve.ready();
    await expect(html).toHaveAttribute('data-theme', 'dark');
    await expect(html).toHaveAttribute('data-motion', 'none');
    await expect.poll(() => codeStyle(vve, 'fontSize')).toBe('20px');
    await expect.poll(() => lines.count()).toBeGreaterThan(2);
    await expect(vve.status).toContainText('Tab moves focus: on');
    await vve.focus();
    await page.keyboard.press('Control+m');
    await expect(vve.status).toContainText('Tab moves focus: off');
});

test('what a run printed is read out, when asked and when wanted', async ({ vve }) => {
    const { page } = vve;
    await vve.open("print('spoken words')\n");
    const said = page
        .getByRole('status')
        .filter({ hasText: /Run by .+ printed: spoken words/ });
    await vve.run();
    await expect(vve.chip).toContainText('Done');
    await expect(said).toHaveCount(0);
    await page.getByRole('button', { name: 'File' }).click();
    await page.getByRole('menuitem', { name: 'Read last output' }).click();
    await expect(said).toHaveCount(1);

    await page.reload();
    await vve.ready();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('switch', { name: 'Announce output' }).check();
    await page.keyboard.press('Escape');
    await expect(said).toHaveCount(0);
    await vve.run();
    await expect(said).toHaveCount(1);
});

test('keys lead to the tabs, the errors and the list of keys', async ({ vve }) => {
    const { page } = vve;
    await vve.open(BROKEN);
    await vve.run();
    await expect(vve.chip).toContainText('Error');
    await vve.focus();
    for (const [key, name] of [
        ['Alt+2', 'Input'],
        ['Alt+3', 'History'],
        ['Alt+1', 'Console'],
    ] as const) {
        await page.keyboard.press(key);
        const tab = page.getByRole('tab', { name });
        await expect(tab).toBeFocused();
        await expect(tab).toHaveAttribute('aria-selected', 'true');
    }
    await page.keyboard.press('F8');
    await expect(vve.status).toContainText('Ln 2,');
    await expect(page.locator('.marker-widget')).toContainText("name 'missing' is not defined");
    await page.keyboard.press('Escape');

    // Editing its line takes the mark away.
    await page.keyboard.type('?');
    await expect(page.locator('.view-lines')).not.toContainText('NameError');
    await page.keyboard.press('F8');
    await expect(
        page.getByRole('status').filter({ hasText: 'No error is marked' }),
    ).toHaveCount(1);
    const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await expect(sheet).toHaveCount(0);
    await expect.poll(() => vve.editorText()).toContain('?');
    await page.keyboard.press('Alt+1');
    await page.keyboard.press('?');
    await expect(sheet).toContainText('Ctrl+Enter');
    await page.keyboard.press('Escape');
    await expect(sheet).toHaveCount(0);
    await expect(page.getByRole('tab', { name: 'Console' })).toBeFocused();
});

for (const theme of ['light', 'dark'] as const) {
    test(`layers have no accessibility faults, ${theme}`, async ({ vve }) => {
        const { page } = vve;
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
        await vve.open('x = 1\n');
        const check = async (): Promise<void> => {
            const layer = '[role=dialog], [role=menu]';
            const { violations } = await new AxeBuilder({ page }).include(layer).analyze();
            expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
        };
        await page.getByRole('button', { name: 'File' }).press('Enter');
        await expect(page.getByRole('menuitem', { name: 'Open a .py file…' })).toBeFocused();
        await check();
        await page.keyboard.press('Escape');
        await expect(page.getByRole('button', { name: 'File' })).toBeFocused();
        for (const name of ['Share this room', 'Settings']) {
            await page.getByRole('button', { name }).press('Enter');
            await expect(page.getByRole('dialog', { name })).toBeVisible();
            await check();
            await page.keyboard.press('Escape');
            await expect(page.getByRole('dialog')).toHaveCount(0);
        }
        await page.keyboard.press('?');
        await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
        await check();
    });
}

test('a phone has room for all of it, and keys for code', async ({ browser, baseURL }) => {
    const context = await browser.newContext({
        baseURL,
        viewport: { width: 360, height: 640 },
        hasTouch: true,
        isMobile: true,
    });
    const page = await context.newPage();
    const ada = new Vve(page);
    await ada.open('');
    const boxes = await page
        .getByRole('banner')
        .getByRole('button')
        .evaluateAll((all) => all.map((button) => button.getBoundingClientRect().toJSON()));
    const shown = boxes.filter(({ width }) => width > 0);
    expect(shown.length).toBeGreaterThanOrEqual(4);
    for (const { left, right, width, height } of shown) {
        expect(left).toBeGreaterThanOrEqual(0);
        expect(right).toBeLessThanOrEqual(360);
        expect(Math.min(width, height)).toBeGreaterThanOrEqual(44);
    }
    const keys = page.getByRole('group', { name: 'Keys for code' });
    await expect(keys).toBeHidden();
    await page.locator('.monaco-editor').first().tap();
    await expect(keys).toBeVisible();
    await page.keyboard.type('if x');
    await keys.getByRole('button', { name: 'Colon' }).tap();
    await page.keyboard.press('Enter');
    await page.keyboard.type('print');
    await keys.getByRole('button', { name: 'Parenthesis' }).tap();
    await expect.poll(() => ada.editorText()).toBe('if x:\n    print()');
    await keys.getByRole('button', { name: 'Undo' }).tap();
    await expect.poll(() => ada.editorText()).not.toContain('print()');
    await expect(keys).toBeVisible();

    await page.getByRole('button', { name: 'Menu' }).tap();
    await page.getByRole('menuitem', { name: 'Settings' }).tap();
    await expect(page.getByRole('dialog', { name: 'Settings' })).toBeVisible();
    await context.close();
});

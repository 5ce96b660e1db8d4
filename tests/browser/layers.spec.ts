// What opens over the page: sharing, settings, shortcuts; the keys that lead through it; the phone.
import { expect, test, type Vve } from './vve.js';

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

// What opens over the page: sharing, settings, shortcuts; the keys that lead through it; the phone.
import { expect, test } from './vve.js';

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

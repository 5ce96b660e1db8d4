// What can be done with one run in the console.
import { readFile } from 'node:fs/promises';
import { expect, test } from './vve.js';

test('the menu of a run copies and keeps its output, and leads to its code', async ({
    guest,
}) => {
    const ada = await guest('Ada');
    const { page } = ada;
    await ada.open("print('\\x1b[31mone\\x1b[0m')\nprint('zwei €')\n");
    await ada.run();
    await expect(ada.chip).toContainText('Done');
    await ada.focus();
    await ada.typeLine('# later');

    const more = ada.last.getByRole('button', { name: 'More about: Run by you' });
    await more.click();
    const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: 'Download output' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('output.txt');
    expect(await readFile(await download.path(), 'utf8')).toBe('one\nzwei €\n');

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await more.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Copy output' }).press('Enter');
    await expect
        .poll(() => page.evaluate(() => navigator.clipboard.readText()))
        .toBe('one\nzwei €\n');
    await expect(page.getByRole('status').filter({ hasText: 'Output copied' })).toHaveCount(1);
    await expect(more).toBeFocused();

    await more.click();
    await page.getByRole('menuitem', { name: 'Code of this run' }).click();
    await expect(page.getByRole('heading', { name: /Code of the run by Ada/ })).toBeVisible();
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await expect.poll(() => ada.editorText()).not.toContain('# later');

    await ada.focus();
    await ada.typeLine("print('something else')");
    await page.getByRole('tab', { name: 'Console' }).click();
    await more.click();
    await page.getByRole('menuitem', { name: 'Run it again' }).click();
    await expect(page.getByRole('log').locator('section')).toHaveCount(2);
    await expect(ada.chip).toContainText('Done');
    await expect(ada.last).toContainText('zwei €');
    await expect(ada.last).not.toContainText('something else');
});

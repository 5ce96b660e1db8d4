// What can be done with one run in the console.
import { readFileSync } from 'node:fs';
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

const PICTURE = readFileSync(
    new URL('../../web/src/examples/picture.py', import.meta.url),
    'utf8',
);

test('a picture is shown to everybody, at full size when wanted, and can be kept', async ({
    guest,
}) => {
    const ada = await guest('Ada');
    await ada.open(PICTURE);
    await ada.run();
    const grace = await guest('Grace');
    await grace.join(ada.path);
    for (const vve of [ada, grace]) {
        const picture = vve.last.getByRole('img', { name: 'Plot 1 of this run' });
        await expect(picture).toBeVisible();
        await expect
            .poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth))
            .toBe(320);
    }
    const picture = grace.last.getByRole('img');
    const button = grace.last.getByRole('button', { name: 'Plot 1 of this run' });
    await expect(picture).toHaveCSS('max-height', '360px');
    await button.click();
    await expect(button).toHaveAttribute('aria-pressed', 'true');
    await expect(picture).toHaveCSS('max-height', 'none');
    const kept = grace.page.waitForEvent('download');
    await grace.last.getByRole('link', { name: 'Download plot 1' }).click();
    expect((await kept).suggestedFilename()).toBe('plot-1.png');
    const bytes = readFileSync((await (await kept).path())!);
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
});

test('what is no picture is only named', async ({ vve }) => {
    await vve.open(
        [
            'import base64',
            `svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "no"</script></svg>'`,
            'for data in svg, b"\\x89PNG\\r\\n\\x1a\\n", b"":',
            '    print(f"\\x1b]1337;File=inline=1:{base64.b64encode(data).decode()}\\a")',
        ].join('\n'),
    );
    await vve.run();
    await expect(vve.last.getByText('[a picture that is no PNG]')).toHaveCount(3);
    await expect(vve.chip).toContainText('Done');
    await expect(vve.last.getByRole('img')).toHaveCount(0);
});

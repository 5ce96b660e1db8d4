// What stands in the place of the text: a file, an example, another room's text; and the empty room.
import { readdirSync, readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test, type Vve } from './vve.js';

async function choose(page: Page, item: string): Promise<void> {
    await page.getByRole('button', { name: 'File' }).click();
    await page.getByRole('menuitem', { name: item }).click();
}

async function openFile(page: Page, name: string, buffer: Buffer): Promise<void> {
    const asked = page.waitForEvent('filechooser');
    await choose(page, 'Open a .py file');
    await (await asked).setFiles({ name, mimeType: 'text/x-python', buffer });
}

test('a file is opened for everyone, after a question, and taken back', async ({ guest }) => {
    const [ada, grace] = [await guest('Ada'), await guest('Grace')];
    await ada.open('old = 1\n');
    await grace.join(ada.path);
    await openFile(ada.page, 'guess.py', Buffer.from('\ufeffnew = "ü"\r\nlast = 2\r\n'));
    const question = ada.page.getByRole('dialog', {
        name: 'Replace everyone\'s code with "guess.py"?',
    });
    await expect(question).toHaveAccessibleDescription('You can undo this.');
    await question.getByRole('button', { name: 'Cancel' }).click();
    await expect(question).toHaveCount(0);
    await expect(ada.page.getByRole('button', { name: 'File' })).toBeFocused();
    expect(await ada.editorText()).toBe('old = 1\n');

    await openFile(ada.page, 'guess.py', Buffer.from('\ufeffnew = "ü"\r\nlast = 2\r\n'));
    await question.getByRole('button', { name: 'Replace' }).click();
    await expect.poll(() => ada.editorText()).toBe('new = "ü"\nlast = 2\n');
    await expect.poll(() => grace.shownText()).toBe('new = "ü"\nlast = 2\n');
    await expect(ada.page.locator('.monaco-editor').first()).toHaveClass(/focused/);
    await ada.page.keyboard.press('Control+z');
    await expect.poll(() => grace.shownText()).toBe('old = 1\n');
});

test('the menu opens also while the editor is on its way', async ({ vve }) => {
    const { page } = vve;
    await page.route('**/assets/monaco-*.js', () => undefined);
    await page.goto('/', { waitUntil: 'commit' });
    const button = page.getByRole('button', { name: 'File' });
    await button.focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('menuitem', { name: 'Keyboard shortcuts' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('menu')).toHaveCount(0);
    await expect(button).toBeFocused();
});

test('a file that cannot be a program is not opened, and why', async ({ vve, request }) => {
    const { codeBytes } = (await (await request.get('/api/limits')).json()) as {
        codeBytes: number;
    };
    await vve.open('old = 1\n');
    const notice = vve.page.getByRole('dialog', { name: '"x.py" cannot be opened' });
    await openFile(vve.page, 'x.py', Buffer.from([0x70, 0xfc, 0x0a]));
    await expect(notice).toContainText('is not UTF-8 text');
    await vve.page.keyboard.press('Escape');
    await expect(notice).toHaveCount(0);
    await openFile(vve.page, 'x.py', Buffer.alloc(codeBytes + 1, '#'));
    const most = codeBytes.toLocaleString('en');
    await expect(notice).toContainText(`a program may have ${most} at most`);
    await notice.getByRole('button', { name: 'OK' }).click();
    expect(await vve.editorText()).toBe('old = 1\n');
});

async function drag(vve: Vve, type: 'dragover' | 'drop', name: string, text: string) {
    await vve.page
        .locator('.monaco-editor')
        .first()
        .evaluate(
            (target, [kind, fileName, content]) => {
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([content], fileName));
                const options = { dataTransfer, bubbles: true, cancelable: true };
                target.dispatchEvent(new DragEvent(kind, options));
            },
            [type, name, text] as const,
        );
}

test('a file can be dropped on the editor', async ({ vve }) => {
    await vve.open('');
    const words = vve.page.getByText('Drop the file to open it for everyone');
    await drag(vve, 'dragover', 'a.py', '');
    await expect(words).toBeVisible();
    await drag(vve, 'drop', 'a.py', "print('dropped')\n");
    await expect(words).toHaveCount(0);
    await expect.poll(() => vve.editorText()).toBe("print('dropped')\n");
});

test('a duplicate is another room with the same text', async ({ vve }) => {
    await vve.open("print('twice')\n");
    const came = vve.page.context().waitForEvent('page');
    await choose(vve.page, 'Duplicate this room');
    const page = await came;
    await expect(page).toHaveURL(/\/r\/[A-Za-z0-9_-]{16}$/);
    expect(new URL(page.url()).pathname).not.toBe(vve.path);
    await expect(page.locator('.view-lines')).toContainText("print('twice')");
    await page.close();
    await vve.join('/');
    expect(await vve.editorText()).toBe('');
});

const EXAMPLES = new URL('../../web/src/examples/', import.meta.url);

test('an empty room offers examples, and every example runs', async ({ vve }) => {
    const { page } = vve;
    const codes = readdirSync(EXAMPLES)
        .filter((name) => name.endsWith('.py'))
        .map((name) => readFileSync(new URL(name, EXAMPLES), 'utf8'));
    const guesses = Array.from({ length: 20 }, (_, at) => `${at + 1}\n`).join('');
    await vve.open('', guesses);
    await page.getByRole('button', { name: 'Hello, one by one' }).click();
    await expect.poll(() => vve.editorText()).toContain('Hello {number} of 5');
    await expect(page.getByRole('button', { name: 'Hello, one by one' })).toHaveCount(0);
    await page.keyboard.press('Control+z');
    await expect(page.getByRole('button', { name: 'Paint a picture' })).toBeVisible();

    await page.getByRole('button', { name: 'File' }).click();
    const items = page.getByRole('group', { name: 'Examples' }).getByRole('menuitem');
    await expect(items).toHaveCount(codes.length);
    const names = await items.allTextContents();
    await page.keyboard.press('Escape');
    const shown: string[] = [];
    for (const name of names) {
        await choose(page, name);
        if (shown.length > 0) {
            await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click();
        }
        await expect
            .poll(async () => {
                const text = await vve.editorText();
                return text !== shown.at(-1) && codes.includes(text);
            })
            .toBe(true);
        shown.push(await vve.editorText());
        await vve.run();
        await expect(vve.chip).toContainText(name === 'Find the mistake' ? 'Error' : 'Done');
        await page.getByRole('button', { name: 'Clear' }).click();
    }
    expect(shown.sort()).toEqual(codes.sort());
});

// The others in a room: who they are, where they are, and following them.
import type { Locator } from '@playwright/test';
import { axe } from './axe.js';
import { Stranger } from './stranger.js';
import { expect, test, type Vve } from './vve.js';

const LINES = 120;
/** Each line says which it is. */
const LONG = Array.from({ length: LINES }, (_, at) => `# n${at + 1}\n`).join('');

async function openPeople({ page }: Vve): Promise<Locator> {
    await page.getByRole('button', { name: /^People/ }).click();
    return page.getByRole('list', { name: 'Here now' });
}

function rowOf(list: Locator, name: string): Locator {
    return list.getByRole('listitem').filter({ hasText: name });
}

/** Only the lines that can be seen are in the page. */
function shown({ page }: Vve, line: number): Locator {
    return page.locator('.view-line', { hasText: new RegExp(`n${line}$`) });
}

async function follow(vve: Vve, name: string): Promise<Locator> {
    await openPeople(vve);
    await vve.page.getByRole('button', { name: `Follow ${name}` }).click();
    const bar = vve.page.getByRole('button', { name: `Following ${name}` });
    await expect(bar).toBeVisible();
    return bar;
}

async function together(guest: (name: string) => Promise<Vve>): Promise<[Vve, Vve]> {
    const ada = await guest('Ada');
    await ada.open(LONG);
    const grace = await guest('Grace');
    await grace.join(ada.path);
    return [ada, grace];
}

test('newcomers take colours that the others do not have', async ({ guest }) => {
    const all: Vve[] = [];
    for (let n = 0; n < 4; n++) {
        const vve = await guest();
        await (n === 0 ? vve.open('x = 1\n') : vve.join(all[0].path));
        all.push(vve);
    }
    for (const { page } of all) {
        const people = page.getByRole('button', { name: 'People: 4 here' });
        await expect
            .poll(async () => {
                const styles = await people
                    .locator('[style*="--person"]')
                    .evaluateAll((faces) => faces.map((face) => face.getAttribute('style')));
                return new Set(styles).size;
            })
            .toBe(4);
    }
});

test('somebody new is told their name, once', async ({ guest }) => {
    const ada = await guest();
    await ada.open('x = 1\n');
    const line = ada.page.getByText(/^You are [A-Z]\w+ [A-Z]\w+\.$/);
    await expect(line).toBeVisible();
    await ada.page.getByRole('button', { name: 'Change your name' }).click();
    const field = ada.page.getByRole('textbox', { name: 'Your name' });
    await expect(field).toBeFocused();
    await ada.page.keyboard.type('Ada');
    await ada.page.keyboard.press('Escape');
    await expect(line).toHaveCount(0);
    await ada.page.reload();
    await ada.ready();
    await expect(rowOf(await openPeople(ada), 'Ada (you)')).toBeVisible();
    await expect(line).toHaveCount(0);
});

test('the list says where everybody is, and who has gone idle', async ({ guest, baseURL }) => {
    const [ada, grace] = await together(guest);
    const list = await openPeople(ada);
    await expect(rowOf(list, 'Grace')).not.toContainText('line');
    await grace.focus();
    await expect(rowOf(list, 'Grace')).toContainText(`line ${LINES + 1}`);
    await grace.page.keyboard.press('Control+Home');
    await expect(rowOf(list, 'Grace')).toContainText(/line 1$|line 1(?!\d)/);
    await grace.typeLine('# before all');
    await expect(rowOf(list, 'Grace')).toContainText(/line 2(?!\d)/);

    const stranger = await new Stranger(baseURL!, ada.roomId).joined();
    try {
        stranger.say({ user: { name: 'Kato', colour: 2 }, idle: true });
        await expect(rowOf(list, 'Kato')).toContainText('idle');
        stranger.say({ user: { name: 'Kato', colour: 2 }, idle: 'no' });
        await expect(rowOf(list, 'Kato')).not.toContainText('idle');
        for (let n = 0; n < 5; n++) {
            await (await guest(`Guest ${n}`)).join(ada.path);
        }
        await expect(ada.page.getByRole('button', { name: 'People: 8 here' })).toContainText(
            '+3',
        );
        await expect(list.getByRole('listitem')).toHaveCount(8);
    } finally {
        stranger.leave();
    }
});

test('follows somebody through the text until one wants to stop', async ({ guest }) => {
    const [ada, grace] = await together(guest);
    await grace.focus();
    await expect(shown(ada, 1)).toBeVisible();
    const bar = await follow(ada, 'Grace');
    await expect(bar).toHaveText('Following Grace. Esc to stop');
    await expect(shown(ada, LINES)).toBeVisible();
    await grace.page.keyboard.press('Control+Home');
    await expect(shown(ada, 1)).toBeVisible();
    await grace.page.keyboard.press('Control+End');
    await expect(shown(ada, LINES)).toBeVisible();
    await grace.typeLine('# n999');
    await expect(bar).toBeVisible();

    await ada.page.keyboard.press('Escape');
    await expect(bar).toHaveCount(0);
    await grace.page.keyboard.press('Control+Home');
    await expect.poll(() => grace.shownText()).toContain('# n1\n');
    await expect(shown(ada, LINES)).toBeVisible();

    await follow(ada, 'Grace');
    await expect(shown(ada, 1)).toBeVisible();
    await ada.page.locator('.monaco-editor').first().hover();
    await ada.page.mouse.wheel(0, 300);
    await expect(bar).toHaveCount(0);

    await follow(ada, 'Grace');
    await ada.page.locator('.monaco-editor').first().click();
    await expect(bar).toBeVisible();
    await ada.page.keyboard.type('#');
    await expect(bar).toHaveCount(0);

    await follow(ada, 'Grace');
    await bar.click();
    await expect(bar).toHaveCount(0);

    await follow(ada, 'Grace');
    await grace.page.close();
    await expect(bar).toHaveCount(0);
});

test('the name at a cursor goes after a while, and is there under the pointer', async ({
    guest,
}) => {
    const [ada, grace] = await together(guest);
    await grace.page.locator('.monaco-editor').first().click();
    await grace.page.keyboard.press('Control+Home');
    const cursor = ada.page.locator('.yRemoteSelectionHead');
    const opacity = () => cursor.evaluate((head) => getComputedStyle(head, '::after').opacity);
    await expect(cursor).toHaveCount(1);
    await expect.poll(opacity).toBe('1');
    await expect.poll(opacity).toBe('0');
    await cursor.hover();
    await expect.poll(opacity).toBe('1');
});

test('chips at the edges say who is out of sight, and go there', async ({ guest }) => {
    const [ada, grace] = await together(guest);
    await grace.focus();
    const below = ada.page.getByRole('group', { name: 'People below what is shown' });
    await expect(below.getByRole('button')).toHaveText([`Grace, line ${LINES + 1}`]);
    await below.getByRole('button').click();
    await expect(shown(ada, LINES)).toBeVisible();
    await expect(below).toHaveCount(0);
    await grace.page.keyboard.press('Control+Home');
    const above = ada.page.getByRole('group', { name: 'People above what is shown' });
    await expect(above.getByRole('button')).toHaveText(['Grace, line 1']);
    for (const name of ['Kato', 'Lin', 'Mina']) {
        const vve = await guest(name);
        await vve.join(ada.path);
        await vve.page.locator('.monaco-editor').first().click();
        await vve.page.keyboard.press('Control+Home');
    }
    await expect(above.getByRole('button')).toHaveCount(3);
    await above.getByRole('button').first().focus();
    await ada.page.keyboard.press('Enter');
    await expect(shown(ada, 1)).toBeVisible();
    await expect(above).toHaveCount(0);
});

for (const theme of ['light', 'dark'] as const) {
    test(`has no accessibility faults with others in it, ${theme}`, async ({ guest }) => {
        const ada = await guest();
        await ada.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
        await ada.open(LONG);
        await axe(ada.page);
        const grace = await guest('Grace');
        await grace.join(ada.path);
        await grace.focus();
        await expect(ada.page.getByRole('button', { name: /^Grace, line/ })).toBeVisible();
        await axe(ada.page);
        await openPeople(ada);
        await axe(ada.page);
        await ada.page.getByRole('button', { name: 'Follow Grace' }).click();
        await expect(shown(ada, LINES)).toBeVisible();
        await axe(ada.page);
        await ada.page.setViewportSize({ width: 390, height: 780 });
        await axe(ada.page);
    });
}

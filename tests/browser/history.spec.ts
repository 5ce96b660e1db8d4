// The runs of a room with their code: to be read, compared with the text of now, and brought back.
import { expect, test } from './vve.js';

const FIRST = 'print("first")\n# the end\n';

test('a version that ran is compared, restored for everyone, and taken back', async ({
    guest,
}) => {
    const [ada, grace] = [await guest('Ada'), await guest('Grace')];
    await ada.open(FIRST);
    await grace.join(ada.path);
    await ada.run();
    await expect(ada.chip).toContainText('Done');
    await grace.focus();
    await grace.page.keyboard.press('Control+Home');
    await grace.typeLine('x = 1');
    await expect.poll(() => ada.editorText()).toBe(`x = 1\n${FIRST}`);

    await grace.page.getByRole('tab', { name: 'History' }).click();
    const row = grace.page.getByRole('list', { name: 'Runs of this room' }).getByRole('button');
    await expect(row).toHaveCount(1);
    await expect(row).toContainText('Ada');
    await expect(row).toContainText('Done');
    await expect(row).toContainText('first');
    await row.press('Enter');
    const version = grace.page.getByRole('region', { name: /Code of the run by Ada/ });
    await expect(version).toContainText('green is there now');
    await expect(version.locator('.line-insert').first()).toBeVisible();
    await expect(version.locator('.modified .view-lines').first()).toContainText('x = 1');

    await version.getByRole('button', { name: 'Restore this version' }).click();
    await expect(version.getByRole('status')).toContainText('Restored for everyone');
    await expect.poll(() => ada.editorText()).toBe(FIRST);
    await expect.poll(() => ada.shownText()).toBe(FIRST);
    await grace.focus();
    await grace.page.keyboard.press('Control+z');
    await expect.poll(() => ada.editorText()).toBe(`x = 1\n${FIRST}`);

    await version.getByRole('button', { name: 'All runs' }).click();
    await expect(row).toBeFocused();
});

test('the history is there for who comes later, and follows the runs', async ({ guest }) => {
    const ada = await guest('Ada');
    await ada.open('print(1 / 0)\n');
    await ada.page.getByRole('tab', { name: 'History' }).click();
    await expect(ada.page.getByRole('tabpanel', { name: 'History' })).toContainText(
        'Nothing has run yet',
    );
    await ada.run();
    await ada.page.getByRole('tab', { name: 'History' }).click();
    const rows = ada.page.getByRole('list', { name: 'Runs of this room' }).getByRole('button');
    await expect(rows).toContainText(['Error']);
    const late = await guest('Late');
    await late.join(ada.path);
    await late.page.getByRole('tab', { name: 'History' }).click();
    const theirs = late.page
        .getByRole('list', { name: 'Runs of this room' })
        .getByRole('button');
    await expect(theirs).toContainText(['Error']);
    await theirs.click();
    await expect(late.page.getByText('The text is the same now.')).toBeVisible();
    await expect(
        late.page.getByRole('button', { name: 'Restore this version' }),
    ).toBeDisabled();
});

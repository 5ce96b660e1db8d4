// Live input: a program that waits asks everybody in the room, and the first answer counts.
import type { Locator } from '@playwright/test';
import { expect, test, type Vve } from './vve.js';

const DIALOGUE =
    "name = input('name? ')\nprint('hi', name)\nage = input('age? ')\nprint(age)\n";

function prompt(vve: Vve): Locator {
    return vve.last.getByRole('textbox', { name: 'Answer to the program' });
}

test('anybody answers, and everybody sees who did', async ({ guest }) => {
    const ada = await guest('Ada');
    const grace = await guest('Grace');
    await ada.open(DIALOGUE);
    await grace.join(ada.path);
    await ada.run();
    for (const vve of [ada, grace]) {
        await expect(vve.chip).toContainText('Waits for input');
        await expect(vve.last).toContainText('name? ');
        await expect(prompt(vve)).toBeVisible();
    }
    // Who pressed Run can type at once.
    await expect(prompt(ada)).toBeFocused();
    await prompt(grace).fill('Kim');
    await prompt(grace).press('Enter');
    for (const vve of [ada, grace]) {
        await expect(vve.last).toContainText('name? Grace: Kim');
        await expect(vve.last).toContainText('hi Kim');
        await expect(vve.last).toContainText('age? ');
    }
    // Somebody who comes in the middle can answer too.
    const late = await guest('Late');
    await late.join(ada.path);
    await expect(late.last).toContainText('name? Grace: Kim');
    await prompt(late).fill('36');
    await late.last.getByRole('button', { name: 'Send' }).click();
    for (const vve of [ada, grace, late]) {
        await expect(vve.chip).toContainText('Done');
        await expect(vve.last).toContainText('age? Late: 36');
        await expect(prompt(vve)).toHaveCount(0);
    }
});

test('the second answer hears that it was late, and the input can be ended', async ({
    guest,
}) => {
    const ada = await guest('Ada');
    await ada.open("import sys\nprint(input('? '))\nprint(repr(sys.stdin.read()))\n");
    await ada.run();
    await expect(prompt(ada)).toBeVisible();
    // As if both had sent at the same moment.
    await ada.page.route('**/stdin', (route) =>
        route.fulfill({
            status: 409,
            contentType: 'application/json',
            body: '{"error":{"code":"not_waiting","message":"no"}}',
        }),
    );
    await prompt(ada).fill('late');
    await prompt(ada).press('Enter');
    await expect(ada.page.getByRole('log')).toContainText('Somebody else was faster');
    await expect(prompt(ada)).toHaveValue('late');
    await ada.page.unroute('**/stdin');
    await prompt(ada).press('Enter');
    await expect(ada.last).toContainText('? Ada: late');
    await expect(prompt(ada)).toHaveValue('');
    await ada.last.getByRole('button', { name: 'End of input' }).click();
    await expect(ada.chip).toContainText('Done');
    await expect(ada.last).toContainText("''");
});

test('a name that is code is only shown, and nobody is torn from the editor', async ({
    guest,
}) => {
    const ada = await guest('\u001b[31m<img src=x>');
    await ada.open("print(input('? '))\n");
    await ada.focus();
    await ada.page.keyboard.press('Control+Enter');
    await expect(prompt(ada)).toBeVisible();
    await expect(prompt(ada)).not.toBeFocused();
    await ada.page.keyboard.press('F6');
    await expect(prompt(ada)).toBeFocused();
    await ada.page.keyboard.type('\u001b[2Jx');
    await ada.page.keyboard.press('Enter');
    await expect(ada.chip).toContainText('Done');
    await expect(ada.last).toContainText('<img src=x>: ');
    await expect(ada.last.locator('img')).toHaveCount(0);
});

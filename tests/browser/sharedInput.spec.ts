// What the program reads: one text for the room, on the Input tab.
import { Stranger } from './stranger.js';
import { expect, test, type Vve } from './vve.js';

const BOX = { name: 'Input for the program' };

async function openInput(vve: Vve) {
    await vve.page.getByRole('tab', { name: 'Input' }).click();
    return vve.page.getByRole('textbox', BOX);
}

test('everybody writes one input, and whoever runs gives it to the program', async ({
    guest,
}) => {
    const ada = await guest('Ada');
    await ada.open('print(input(), input())', 'one\n');
    const grace = await guest('Grace');
    await grace.join(ada.path);
    const [adas, graces] = [await openInput(ada), await openInput(grace)];
    await expect(graces).toHaveValue('one\n');

    await graces.focus();
    await grace.page.keyboard.press('Control+End');
    await grace.page.keyboard.type('two');
    await expect(adas).toHaveValue('one\ntwo');
    await adas.focus();
    await ada.page.keyboard.press('Control+Home');
    await ada.page.keyboard.type('zero ');
    await expect(graces).toHaveValue('zero one\ntwo');
    // Her cursor is still behind what she has typed.
    await grace.page.keyboard.type('!');
    await expect(adas).toHaveValue('zero one\ntwo!');
    await ada.page.keyboard.type('and ');
    await expect(graces).toHaveValue('zero and one\ntwo!');

    await grace.run();
    await expect(ada.last).toContainText('zero and one two!');
    await grace.page.reload();
    await grace.ready();
    await expect(await openInput(grace)).toHaveValue('zero and one\ntwo!');
});

test('line ends that are none in a box disturb nobody', async ({ guest, baseURL }) => {
    const ada = await guest('Ada');
    await ada.open('print(ascii(input()), ascii(input()))');
    const box = await openInput(ada);
    const stranger = await new Stranger(baseURL!, ada.roomId).joined();
    try {
        const theirs = stranger.doc.getText('stdin');
        theirs.insert(0, 'one\r\ntwo\r\n');
        await expect(box).toHaveValue('one\ntwo\n');
        await expect.poll(() => theirs.toString()).toBe('one\ntwo\n');
        await box.focus();
        await ada.page.keyboard.press('Control+End');
        await ada.page.keyboard.type('!');
        await expect.poll(() => theirs.toString()).toBe('one\ntwo\n!');
        await ada.run();
        await expect(ada.last).toContainText("'one' 'two'");
    } finally {
        stranger.leave();
    }
});

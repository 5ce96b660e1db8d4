import { expect, test } from './vve.js';

// Its name makes it the first, so that the others are tested while it waits.
// The client gives up a server that is silent for half a minute.
test('who is alone in a room for 90 seconds stays connected', async ({ guest }) => {
    const ada = await guest('Ada');
    let sockets = 0;
    ada.page.on('websocket', (socket) => {
        sockets += socket.url().includes('/collab/') ? 1 : 0;
    });
    await ada.open('x = 1\n');
    const since = Date.now();
    await expect
        .poll(() => Date.now() - since, { timeout: 110_000, intervals: [2_000] })
        .toBeGreaterThan(90_000);
    await expect(ada.status).toContainText('Live, saved');
    expect(sockets).toBe(1);
    await ada.focus();
    await ada.page.keyboard.type('y');
    await expect.poll(() => ada.editorText()).toBe('x = 1\ny');
});

// Running programs: what starts, what is shown while it runs, and every way to end.
import { expect, test } from './vve.js';

test('says hello, with status, time and memory', async ({ vve }) => {
    await vve.open("print('hello')");
    await vve.run();
    await expect(vve.last).toContainText('hello');
    await expect(vve.chip).toHaveText(/^Done · \d+\.\d+ s · [\d.]+ MB$/);
    await expect(vve.button).toHaveAttribute('data-mode', 'idle');
});

test('shows output before the program ends', async ({ vve }) => {
    await vve.open(
        "import time\nprint('first', flush=True)\ntime.sleep(3.5)\nprint('second')\n",
    );
    await vve.run();
    await expect(vve.last).toContainText('first');
    await expect(vve.chip).toHaveText('Running');
    await expect(vve.last).not.toContainText('second');
    await expect(vve.button).toHaveText(/^Stop\d s$/);
    await expect(vve.last).toContainText('second');
    await expect(vve.chip).toContainText('Done');
});

test('gives the Input tab to the program', async ({ vve }) => {
    await vve.open('a = input()\nb = input()\nprint(b, a)', '');
    await vve.page.getByRole('tab', { name: 'Input' }).click();
    await vve.page.getByRole('textbox', { name: 'Input for the program' }).fill('one\ntwo ü\n');
    await vve.run();
    await expect(vve.last).toContainText('two ü one');
    await expect(vve.chip).toContainText('Done');
});

test('asks for what the Input tab does not hold', async ({ vve }) => {
    await vve.open('print(input(), input())', 'from the tab\n');
    await vve.run();
    await vve.last.getByRole('textbox', { name: 'Answer to the program' }).fill('from the row');
    await vve.last.getByRole('button', { name: 'Send' }).click();
    await expect(vve.last).toContainText('from the tab from the row');
});

test('links a traceback to the line and marks it', async ({ vve }) => {
    await vve.open('def f():\n    return missing\n\n\nprint(1)\nf()\n');
    await vve.run();
    await expect(vve.chip).toContainText('Error');
    await expect(vve.last).toContainText("NameError: name 'missing' is not defined");
    await expect(vve.last).not.toContainText('/tmp/main.py');
    await expect(vve.last).toContainText('Ended with exit code 1.');
    await expect(vve.page.locator('.view-lines')).toContainText('NameError');
    await vve.last.getByRole('button', { name: 'main.py, line 2' }).click();
    await expect(vve.page.getByRole('contentinfo')).toContainText('Ln 2, Col 1');
    await vve.page.keyboard.type('#');
    await expect.poll(() => vve.editorText()).toContain('\n#    return missing\n');
    await expect(vve.page.locator('.view-lines')).not.toContainText('NameError');
});

test('a link of a traceback follows its line, and says when it was edited', async ({ vve }) => {
    await vve.open('import json\n\njson.loads("{")\n');
    await vve.run();
    await expect(vve.chip).toContainText('Error');
    // What is not in the program is folded.
    await expect(vve.last.locator('summary').first()).toHaveText(/library frame/);
    await vve.last.getByRole('button', { name: 'main.py, line 3' }).click();
    await vve.page.keyboard.press('Control+Home');
    await vve.typeLine('# one\n# two\n# three');
    const link = vve.last.getByRole('button', { name: 'main.py, line 6', exact: true });
    await expect(vve.page.locator('.view-lines')).toContainText('JSONDecodeError');
    await link.click();
    await expect(vve.page.getByRole('contentinfo')).toContainText('Ln 6, Col 1');
    await vve.page.keyboard.type('#');
    await expect(
        vve.last.getByRole('button', { name: 'main.py, line 6, edited since' }),
    ).toBeVisible();
    await expect(vve.page.locator('.view-lines')).not.toContainText('JSONDecodeError');
});

test('names an exit code', async ({ vve }) => {
    await vve.open("import sys\nprint('out')\nsys.exit(3)");
    await vve.run();
    await expect(vve.chip).toContainText('Exit 3');
    await expect(vve.last).toContainText('Ended with exit code 3.');
});

test('names a signal in words', async ({ vve }) => {
    await vve.open('import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)');
    await vve.run();
    await expect(vve.chip).toContainText('Crashed');
    await expect(vve.last).toContainText('Ended by SIGSEGV: it touched memory');
});

test('stops an endless loop with KeyboardInterrupt', async ({ vve }) => {
    await vve.open("print('looping', flush=True)\nwhile True:\n    pass");
    await vve.run();
    await expect(vve.last).toContainText('looping');
    await expect(vve.button).toHaveAttribute('data-mode', 'running');
    await vve.button.click();
    await expect(vve.chip).toContainText('Stopped');
    await expect(vve.last).toContainText('KeyboardInterrupt');
    await expect(vve.button).toHaveAttribute('data-mode', 'idle');
});

test('ends at the time limit and keeps the output', async ({ vve }) => {
    await vve.open("print('before', flush=True)\nwhile True:\n    pass");
    await vve.run();
    await expect(vve.chip).toContainText('Time limit');
    await expect(vve.last).toContainText('before');
    await expect(vve.last).toContainText('Stopped after 5 s: the time limit.');
});

test('cuts a flood of output and says how much is gone', async ({ vve }) => {
    await vve.open("print('x' * 20_479)");
    await vve.run();
    await expect(vve.last).toContainText('Output cut at 10 KB: 10 KB more was not kept.');
    await expect(vve.chip).toContainText('Done');
    const shown = vve.last.locator('div > div > div').first();
    await expect.poll(() => shown.textContent()).toBe('x'.repeat(10_240));
});

test('names the end of memory', async ({ vve }) => {
    await vve.open('block = bytearray(300 * 1024 * 1024)\nprint(len(block))');
    await vve.run();
    await expect(vve.chip).toContainText('Out of memory');
    await expect(vve.last).toContainText('Stopped: used more than 128 MB of memory.');
});

test('renders progress and colours, never markup', async ({ vve }) => {
    await vve.open('print("10%\\r100%")\nprint("\\x1b[31mred\\x1b[0m")\nprint("<b>bold</b>")');
    await vve.run();
    await expect(vve.chip).toContainText('Done');
    await expect(vve.last.getByText('100%', { exact: true })).toBeVisible();
    await expect(vve.last).not.toContainText('10%1');
    await expect(vve.last.locator('[class*="ansi-red"]')).toHaveText('red');
    await expect(vve.last.getByText('<b>bold</b>', { exact: true })).toBeVisible();
});

test('shows the place in the queue, and gives it up', async ({ vve, request }) => {
    await vve.open("print('mine')");
    // Two run for five seconds, then the other two: ours waits for ten.
    const busy = { data: { code: 'while True:\n    pass' } };
    const jobs: string[] = [];
    for (let n = 0; n < 4; n++) {
        const answer = await request.post('/api/execute', busy);
        expect(answer.status()).toBe(202);
        jobs.push(((await answer.json()) as { jobId: string }).jobId);
    }
    await vve.run();
    await expect(vve.button).toHaveText(/^Queued [1-9]$/);
    await expect(vve.last).toContainText(/[1-9] runs? ahead of yours\.|Next in line\./);
    await vve.button.click();
    await expect(vve.chip).toContainText('Stopped');
    await expect(vve.last).toContainText('Given up before it started.');
    await expect(vve.last).not.toContainText('mine');
    for (const job of jobs) {
        await request.post(`/api/jobs/${job}/cancel`);
    }
});

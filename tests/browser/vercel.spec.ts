// The page at another origin than its daemon's: two people on Vercel, and one whom the daemon does
// not let in. The daemon of its own shares the Redis of the suite's, whose slots run the programs.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Browser, Page } from '@playwright/test';
import { headersSchema, rewritesSchema } from '@vercel/routing-utils';
import Ajv from 'ajv';
import { startHouse } from '../rooms/lib/house.js';
import { answerTo, API, config, PAGE, startHosts, WEB, type Hosts } from './vercel.js';
import { CLEAN, expect, test as base, Vve, watch, type Watch } from './vve.js';

const ALLOWED = 'https://vve-*-ada.vercel.app';

// All in one worker: one daemon and one browser will do.
base.describe.configure({ mode: 'default' });

interface Apart {
    browser: Browser;
    hosts: Hosts;
}

interface Visitors {
    /** Somebody with a browser of their own, at the page of this origin. */
    visit(origin: string): Promise<Vve>;
    /** What the browsers of all visitors had to say. */
    seen: Watch[];
}

/** So far: each is a client of its own for the daemon's limits. */
let tests = 0;

const test = base.extend<{ visitors: Visitors }, { apart: Apart }>({
    apart: [
        async ({ playwright, launchOptions }, use) => {
            const address = process.env.VVE_REDIS;
            if (address === undefined) {
                throw new Error(
                    'VVE_REDIS is not set: it names the Redis of the daemon to test',
                );
            }
            const limits = ['--role', 'gateway', '--rate-limit', '2'];
            const house = await startHouse({ address }, [...limits, '--allow-origin', ALLOWED]);
            const hosts = await startHosts(house.port);
            const browser = await playwright.chromium.launch({
                ...launchOptions,
                args: [...launchOptions.args!, ...hosts.args],
            });
            await use({ browser, hosts });
            await browser.close();
            hosts.close();
            await house.stop();
        },
        { scope: 'worker' },
    ],
    visitors: async ({ apart: { browser, hosts } }, use, { workerIndex }) => {
        tests += 1;
        hosts.client = `127.7.${workerIndex}.${tests}`;
        const seen: Watch[] = [];
        const pages: Page[] = [];
        await use({
            seen,
            visit: async (origin) => {
                const context = await browser.newContext({ baseURL: origin });
                const page = await context.newPage();
                pages.push(page);
                seen.push(await watch(page, origin, API));
                return new Vve(page);
            },
        });
        for (const page of pages) {
            await page.context().close();
        }
    },
});

test('two people type and run at a page that another host serves', async ({ visitors }) => {
    const ada = await visitors.visit(PAGE);
    const grace = await visitors.visit(PAGE);
    const asked = new Set<string>();
    ada.page.on('request', (request) => asked.add(new URL(request.url()).origin));
    ada.page.on('websocket', (socket) => asked.add(new URL(socket.url()).origin));
    await ada.open("print('far')\n");
    await grace.join(ada.path);
    await ada.focus();
    await ada.typeLine("print('away')");
    await expect.poll(() => grace.shownText()).toBe("print('far')\nprint('away')\n");
    await ada.page.getByRole('button', { name: 'Share this room' }).click();
    const link = ada.page.getByRole('textbox', { name: 'Link to this room' });
    await expect(link).toHaveValue(PAGE + ada.path);
    await ada.page.keyboard.press('Escape');

    await ada.run();
    for (const vve of [ada, grace]) {
        await expect(vve.last).toContainText('faraway');
        await expect(vve.chip).toContainText('Done');
    }
    await grace.run();
    for (const vve of [ada, grace]) {
        await expect(vve.page.getByRole('log').locator('section')).toHaveCount(2);
        await expect(vve.chip).toContainText('Done');
    }
    await ada.run();
    const console = ada.page.getByRole('tabpanel', { name: 'Console' });
    await expect(console).toContainText('You have run 2 times this minute.');
    await expect(ada.button).toHaveAttribute('data-mode', 'held');
    await expect(ada.button).toHaveText(/^Run in [1-5]?\d s$/);
    expect([...asked].sort()).toEqual([API, PAGE, API.replace('http', 'ws')].sort());
    expect(visitors.seen).toEqual([CLEAN, CLEAN]);
});

// The room tells of a run too, so it has to be silent here.
test('an event stream reaches a page at another origin', async ({ visitors }) => {
    const ada = await visitors.visit(PAGE);
    await ada.page.routeWebSocket(/\/collab\//, (route) => {
        const server = route.connectToServer();
        server.onMessage((message) => {
            if ((message as Buffer)[0] !== 100) {
                route.send(message);
            }
        });
    });
    await ada.open("print('told by the stream')");
    await ada.run();
    await expect(ada.last).toContainText('told by the stream');
    await expect(ada.chip).toContainText('Done');
    expect(visitors.seen).toEqual([CLEAN]);
});

test('a page that the daemon does not know is told so', async ({ visitors }) => {
    const origin = 'https://vve-git-main-eve.vercel.app';
    const eve = await visitors.visit(origin);
    await eve.page.goto('/');
    await expect(eve.banner).toContainText(`${API} does not answer.`);
    await expect(eve.banner).toContainText(`does not know pages of ${origin}`);
    await expect(eve.banner).toContainText('--allow-origin');
    await expect(eve.button).toHaveAttribute('data-mode', 'offline');
    expect(visitors.seen).toEqual([CLEAN]);
});

test('the page may connect to its daemon and to nobody else', async ({ visitors }) => {
    const ada = await visitors.visit(PAGE);
    await ada.open('x = 1\n');
    await ada.page.evaluate(async () => {
        await fetch('https://eve.example.org/', { mode: 'no-cors' }).catch(() => null);
        await fetch('https://api.example.org:8443/').catch(() => null);
        new WebSocket('wss://eve.example.org/');
    });
    const refused = () =>
        visitors.seen[0]!.violations.filter((text) => text.startsWith('connect-src: '));
    await expect
        .poll(refused)
        .toEqual([
            'connect-src: https://eve.example.org/',
            'connect-src: https://api.example.org:8443/',
            'connect-src: wss://eve.example.org/',
        ]);
});

test('vercel.json is one that Vercel takes', async () => {
    const ajv = new Ajv();
    expect(ajv.validate(headersSchema, config.headers), ajv.errorsText()).toBe(true);
    expect(ajv.validate(rewritesSchema, config.rewrites), ajv.errorsText()).toBe(true);
    const { headers, rewrites, ...rest } = config;
    expect(rest).toEqual({
        $schema: 'https://openapi.vercel.sh/vercel.json',
        framework: 'vite',
        installCommand: 'npm ci',
        buildCommand: 'npm run build -- --mode apart',
        outputDirectory: 'dist',
    });
    expect((await answerTo('/assets/none.js')).body).toBeNull();
    expect((await answerTo('/elsewhere')).body).toBeNull();
});

test("a build for Vercel without the daemon's address ends at once", async () => {
    const env = { ...process.env, VITE_API_BASE: '', VITE_WS_URL: '' };
    const build = promisify(execFile)('sh', ['-c', config.buildCommand], { cwd: WEB, env });
    await expect(build).rejects.toThrow('VITE_API_BASE must name the daemon');
});

/** What the daemon says of the message, and not to the browser of the page. */
const OF_MESSAGE =
    /^(connection|content-(encoding|length|type)|date|etag|keep-alive|transfer-encoding|vary)$/;

test('Vercel sends the headers that the daemon sends', async ({ request }) => {
    const { body } = await answerTo('/');
    const [asset] = /\/assets\/index-[^"]+\.js/.exec(String(body))!;
    for (const path of ['/', '/r/some-room', '/index.html', asset]) {
        const wanted = (await request.get(path)).headers();
        const got: Record<string, string> = {};
        for (const [name, value] of Object.entries((await answerTo(path)).headers)) {
            got[name.toLowerCase()] = value;
        }
        // Who may be connected to is in index.html.
        expect(got['content-security-policy']).toContain("; connect-src 'self' https: wss:; ");
        got['content-security-policy'] &&= got['content-security-policy'].replace(
            ' https: wss:',
            '',
        );
        const names = Object.keys(wanted).filter((name) => !OF_MESSAGE.test(name));
        expect(got).toEqual(Object.fromEntries(names.map((name) => [name, wanted[name]])));
    }
});

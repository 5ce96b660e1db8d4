// The page as a test sees it: opening it with a program, running, reading the console. Every
// page that a test opens is watched; a request to another origin, a violation of the content
// security policy or an uncaught error fails the test.
import {
    expect,
    test as base,
    type BrowserContext,
    type Locator,
    type Page,
} from '@playwright/test';

export class Vve {
    /** The newest run block in the console. */
    readonly last: Locator;
    readonly chip: Locator;
    readonly button: Locator;
    readonly status: Locator;
    /** What stands in the way, said across the page. */
    readonly banner: Locator;

    constructor(readonly page: Page) {
        this.last = page.locator('section').last();
        this.chip = this.last.locator('header > span');
        this.button = page.locator('button[data-mode]');
        this.status = page.getByRole('contentinfo');
        this.banner = page.locator('[role=alert]:not(.monaco-alert)');
    }

    /** Makes a room with this program in it. */
    async open(code: string, input = ''): Promise<void> {
        // Only for the first load: a reload must find what the page itself has kept.
        await this.page.addInitScript(
            ([text, stdin]) => {
                if (sessionStorage.getItem('test') === null) {
                    sessionStorage.setItem('test', 'open');
                    const me = localStorage.getItem('vve:me');
                    localStorage.clear();
                    if (me !== null) {
                        localStorage.setItem('vve:me', me);
                    }
                    localStorage.setItem('vve:code', text);
                    localStorage.setItem('vve:input', stdin);
                }
            },
            [code, input] as const,
        );
        await this.join('/');
    }

    async join(path: string): Promise<void> {
        await this.page.goto(path);
        await this.ready();
    }

    /** Waits until the text can be edited: before it is tied to the room, keys would be lost. */
    async ready(): Promise<void> {
        const marks = () =>
            this.page.evaluate(() => performance.getEntriesByName('editor-ready').length);
        await expect.poll(marks).toBeGreaterThan(0);
        await expect(this.status).toContainText('Live, saved');
    }

    async run(): Promise<void> {
        await this.button.click();
    }

    /** Puts the keyboard into the editor, at the end of the text. */
    async focus(): Promise<void> {
        await this.page.locator('.monaco-editor').first().click();
        await this.page.keyboard.press('Control+End');
    }

    /**
     * Types a line at once. Key by key, Enter would take up what the editor suggests by then,
     * and code, other than a comment, makes it suggest.
     */
    async typeLine(text: string): Promise<void> {
        await this.page.keyboard.insertText(`${text}\n`);
    }

    get path(): string {
        return new URL(this.page.url()).pathname;
    }

    get roomId(): string {
        return this.path.replace('/r/', '');
    }

    /** The text of the room, as the daemon has it. */
    async editorText(): Promise<string> {
        const answer = await this.page.request.get(`/api/rooms/${this.roomId}/text`);
        expect(answer.status()).toBe(200);
        return answer.text();
    }

    /** The text as this page shows it. */
    async shownText(): Promise<string> {
        const lines = await this.page.locator('.view-lines > .view-line').evaluateAll((all) =>
            all
                .map((line) => ({
                    top: parseFloat((line as HTMLElement).style.top),
                    text: (line.textContent ?? '').replaceAll('\u00a0', ' '),
                }))
                .sort((a, b) => a.top - b.top)
                .map(({ text }) => text),
        );
        return lines.join('\n');
    }

    /** The names beside other people's cursors, as the style sheet gives them. */
    async cursorNames(): Promise<string[]> {
        return this.page
            .locator('.yRemoteSelectionHead')
            .evaluateAll((all) => all.map((head) => getComputedStyle(head, '::after').content));
    }
}

export interface Watch {
    foreign: string[];
    violations: string[];
    errors: string[];
}

export const CLEAN: Watch = { foreign: [], violations: [], errors: [] };

/** `origins`: those that the page may ask. */
export async function watch(page: Page, ...origins: string[]): Promise<Watch> {
    const seen: Watch = { foreign: [], violations: [], errors: [] };
    const hosts = origins.map((origin) => new URL(origin).host);
    const judge = (address: string): void => {
        const url = new URL(address);
        const isLocal = url.protocol === 'data:' || url.protocol === 'blob:';
        if (!isLocal && !hosts.includes(url.host)) {
            seen.foreign.push(address);
        }
    };
    page.on('request', (request) => judge(request.url()));
    page.on('websocket', (socket) => judge(socket.url()));
    page.on('pageerror', (error) => seen.errors.push(String(error)));
    page.on('console', (message) => {
        if (/content security policy/i.test(message.text())) {
            seen.violations.push(message.text());
        }
    });
    await page.exposeFunction('vveViolation', (text: string) => seen.violations.push(text));
    await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) => {
            const report = window as unknown as { vveViolation(text: string): void };
            report.vveViolation(`${event.violatedDirective}: ${event.blockedURI}`);
        });
    });
    return seen;
}

interface Fixtures {
    page: Page;
    vve: Vve;
    /** Somebody else, with a browser of their own: nothing is shared but the daemon. */
    guest(name?: string): Promise<Vve>;
}

// All tests of a worker share one browser profile, so that the editor's three megabytes are compiled
// once: it is one on disk, since Chromium keeps compiled code nowhere else. Each test has a tab of
// its own and clears what the profile keeps.
export const test = base.extend<Fixtures, { profile: BrowserContext }>({
    profile: [
        async ({ playwright, launchOptions }, use) => {
            const context = await playwright.chromium.launchPersistentContext('', {
                ...launchOptions,
                baseURL: process.env.VVE_URL,
                viewport: { width: 1280, height: 720 },
            });
            await use(context);
            await context.close();
        },
        { scope: 'worker' },
    ],
    page: async ({ profile }, use) => {
        const page = await profile.newPage();
        await use(page);
        await page.close();
    },
    vve: async ({ page, baseURL }, use) => {
        const seen = await watch(page, baseURL!);
        await use(new Vve(page));
        expect(seen).toEqual(CLEAN);
    },
    guest: async ({ browser, baseURL }, use) => {
        const contexts: BrowserContext[] = [];
        const watches: Watch[] = [];
        await use(async (name) => {
            const context = await browser.newContext({
                baseURL,
                viewport: { width: 1280, height: 720 },
            });
            contexts.push(context);
            const page = await context.newPage();
            watches.push(await watch(page, baseURL!));
            if (name !== undefined) {
                await page.addInitScript((who) => {
                    localStorage.setItem('vve:me', JSON.stringify({ name: who, colour: 1 }));
                }, name);
            }
            return new Vve(page);
        });
        for (const context of contexts) {
            await context.close();
        }
        expect(watches).toEqual(watches.map(() => CLEAN));
    },
});

export { expect };

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

export interface Vve {
    page: Page;
    /** Opens the page with this program in the editor. */
    open(code: string, input?: string): Promise<void>;
    run(): Promise<void>;
    /** The newest run block in the console. */
    last: Locator;
    chip: Locator;
    button: Locator;
    editorText(): Promise<string>;
}

interface Watch {
    foreign: string[];
    violations: string[];
    errors: string[];
}

async function watch(page: Page, baseURL: string): Promise<Watch> {
    const seen: Watch = { foreign: [], violations: [], errors: [] };
    const own = new URL(baseURL).origin;
    page.on('request', (request) => {
        const url = new URL(request.url());
        const isLocal = url.protocol === 'data:' || url.protocol === 'blob:';
        if (!isLocal && url.origin !== own) {
            seen.foreign.push(request.url());
        }
    });
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

// All tests share one browser profile, so that the editor's three megabytes are compiled once;
// each has a tab of its own and clears what the profile keeps.
export const test = base.extend<{ page: Page; vve: Vve }, { profile: BrowserContext }>({
    profile: [
        async ({ browser }, use) => {
            const context = await browser.newContext({
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
        const button = page.locator('button[data-mode]');
        const last = page.locator('section').last();
        await use({
            page,
            button,
            last,
            chip: last.locator('header > span'),
            async open(code, input = '') {
                // Only for the first load: a reload must find what the page itself has kept.
                await page.addInitScript(
                    ([text, stdin]) => {
                        if (sessionStorage.getItem('test') === null) {
                            sessionStorage.setItem('test', 'open');
                            localStorage.clear();
                            localStorage.setItem('vve:code', text);
                            localStorage.setItem('vve:input', stdin);
                        }
                    },
                    [code, input] as const,
                );
                await page.goto('/');
                await expect(page.locator('.monaco-editor textarea').first()).toBeAttached();
                await expect(page.getByRole('contentinfo')).toContainText('Ready');
            },
            async run() {
                await button.click();
            },
            editorText: () => page.evaluate(() => localStorage.getItem('vve:code') ?? ''),
        });
        expect(seen).toEqual({ foreign: [], violations: [], errors: [] });
    },
});

export { expect };

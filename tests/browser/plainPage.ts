// Opens the plain recipe of plain/recipe.js on the daemon's own origin, in a room of its choice.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';

const WEB = new URL('../../web/', import.meta.url);
const RECIPE = fileURLToPath(new URL('plain/recipe.js', import.meta.url));

/** What the recipe leaves where tests find it. */
interface Plain {
    model: { getValue(): string };
}

interface Bundler {
    build(
        options: Record<string, unknown>,
    ): Promise<{ outputFiles: { path: string; text: string }[] }>;
}

let bundle: Promise<{ script: string; style: string }> | undefined;

/** Built once for each worker, from the parts that the page itself is built from. */
async function build(): Promise<{ script: string; style: string }> {
    const { build } = createRequire(WEB)('esbuild') as Bundler;
    const modules = fileURLToPath(new URL('node_modules', WEB));
    const { outputFiles } = await build({
        entryPoints: [RECIPE],
        bundle: true,
        write: false,
        outdir: '/',
        format: 'iife',
        loader: { '.ttf': 'empty' },
        nodePaths: [modules],
        // These tests have a Yjs of their own, and two in one page do not know each other's texts.
        alias: { yjs: `${modules}/yjs`, 'y-websocket': `${modules}/y-websocket` },
        logLevel: 'error',
    });
    const ending = (end: string): string =>
        outputFiles.find(({ path }) => path.endsWith(end))!.text;
    return { script: ending('.js'), style: ending('.css') };
}

/** In a context of its own, made with bypassCSP: nothing of this may run on the page's terms. */
export class PlainPage {
    constructor(readonly page: Page) {}

    async join(roomId: string, options: Record<string, string> = {}): Promise<this> {
        const { script, style } = await (bundle ??= build());
        // Any address of the daemon that is not its page: what counts is the origin.
        await this.page.goto(`/healthz?${new URLSearchParams({ room: roomId, ...options })}`);
        await this.page.setContent('<div id="editor" style="height: 400px"></div>');
        await this.page.addStyleTag({ content: style });
        await this.page.addScriptTag({ content: script });
        return this;
    }

    /** What this editor shows. */
    async shown(): Promise<string> {
        return this.page.evaluate(() =>
            (window as unknown as { plain: Plain }).plain.model.getValue(),
        );
    }

    async focus(): Promise<void> {
        await this.page.locator('.monaco-editor').first().click();
        await this.page.keyboard.press('Control+End');
    }
}

// Puts src/ui/firstPaint.js into the head as a blocking script of its own, so that the theme is
// set before anything is painted. The page's CSP forbids inline scripts, hence a file.
import { readFileSync } from 'node:fs';
import { transformWithEsbuild, type Plugin } from 'vite';

const SOURCE = 'src/ui/firstPaint.js';

export function firstPaint(): Plugin {
    let isBuild = false;
    return {
        name: 'vve:first-paint',
        configResolved(config) {
            isBuild = config.command === 'build';
        },
        async buildStart() {
            if (!isBuild) {
                return;
            }
            const { code } = await transformWithEsbuild(readFileSync(SOURCE, 'utf8'), SOURCE, {
                minify: true,
                target: 'es2020',
            });
            this.emitFile({ type: 'asset', name: 'first-paint.js', source: code });
        },
        transformIndexHtml: {
            order: 'post',
            handler(_html, { bundle }) {
                const emitted = Object.values(bundle ?? {}).find(
                    (file) => file.name === 'first-paint.js',
                );
                const src = `/${emitted?.fileName ?? SOURCE}`;
                return [{ tag: 'script', attrs: { src }, injectTo: 'head-prepend' }];
            },
        },
    };
}

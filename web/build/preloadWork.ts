// Asks for the chunks of the work (room, editor, console) right after the frame's own script, so that
// they travel while the frame runs instead of one round trip later. Low priority: the frame paints
// first.
import type { HtmlTagDescriptor, Plugin, Rollup } from 'vite';

/** What the frame imports by itself once it has painted. */
const ENTRIES = ['work', 'room', 'CodeEditor'];

function chunkNamed(bundle: Rollup.OutputBundle, fileName: string): Rollup.OutputChunk {
    const chunk = bundle[fileName];
    if (chunk?.type !== 'chunk') {
        throw new Error(`there is no chunk ${fileName}`);
    }
    return chunk;
}

/** A chunk and all that it cannot start without. */
function withImports(bundle: Rollup.OutputBundle, fileName: string): string[] {
    const { imports } = chunkNamed(bundle, fileName);
    return [fileName, ...imports.flatMap((name) => withImports(bundle, name))];
}

function link(href: string, attrs: Record<string, string>): HtmlTagDescriptor {
    const common = { crossorigin: true, fetchpriority: 'low', href: `/${href}` };
    return { tag: 'link', attrs: { ...attrs, ...common }, injectTo: 'body' };
}

export function preloadWork(): Plugin {
    return {
        name: 'vve:preload-work',
        apply: 'build',
        transformIndexHtml: {
            order: 'post',
            handler(_html, { bundle = {} }): HtmlTagDescriptor[] {
                const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
                const frame = chunks
                    .filter(({ isEntry }) => isEntry)
                    .flatMap(({ fileName }) => withImports(bundle, fileName));
                const all = ENTRIES.flatMap((entry) => {
                    const chunk = chunks.find(({ name }) => name === entry);
                    if (chunk === undefined) {
                        throw new Error(`there is no ${entry} chunk to preload`);
                    }
                    return withImports(bundle, chunk.fileName);
                });
                const late = [...new Set(all)].filter((name) => !frame.includes(name));
                const styles = late.flatMap((name) => [
                    ...(chunkNamed(bundle, name).viteMetadata?.importedCss ?? []),
                ]);
                return [
                    ...late.map((name) => link(name, { rel: 'modulepreload' })),
                    ...styles.map((name) => link(name, { rel: 'preload', as: 'style' })),
                ];
            },
        },
    };
}

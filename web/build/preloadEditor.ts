// Asks for the room's and the editor's chunks right after the frame's own script, so that they travel while the
// frame runs instead of one round trip later. Low priority: the frame paints first.
import type { HtmlTagDescriptor, Plugin } from 'vite';

/** What the frame imports by itself once it has painted. */
const ENTRIES = ['room', 'CodeEditor'];

export function preloadEditor(): Plugin {
    return {
        name: 'vve:preload-editor',
        apply: 'build',
        transformIndexHtml: {
            order: 'post',
            handler(_html, { bundle }): HtmlTagDescriptor[] {
                const names = ENTRIES.flatMap((entry) => {
                    const chunk = Object.values(bundle ?? {}).find(
                        (file) => file.type === 'chunk' && file.name === entry,
                    );
                    if (chunk?.type !== 'chunk') {
                        throw new Error(`there is no ${entry} chunk to preload`);
                    }
                    return [chunk.fileName, ...chunk.imports];
                });
                const late = [...new Set(names)].filter((name) =>
                    /\/(CodeEditor|monaco|room|yjs)-/.test(name),
                );
                return late.map((name) => ({
                    tag: 'link',
                    attrs: {
                        rel: 'modulepreload',
                        crossorigin: true,
                        fetchpriority: 'low',
                        href: `/${name}`,
                    },
                    injectTo: 'body',
                }));
            },
        },
    };
}

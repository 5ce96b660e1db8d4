// Asks for the editor's chunks right after the frame's own script, so that they travel while the
// frame runs instead of one round trip later. Low priority: the frame paints first.
import type { HtmlTagDescriptor, Plugin } from 'vite';

export function preloadEditor(): Plugin {
    return {
        name: 'vve:preload-editor',
        apply: 'build',
        transformIndexHtml: {
            order: 'post',
            handler(_html, { bundle }): HtmlTagDescriptor[] {
                const editor = Object.values(bundle ?? {}).find(
                    (file) => file.type === 'chunk' && file.name === 'CodeEditor',
                );
                if (editor?.type !== 'chunk') {
                    throw new Error('there is no CodeEditor chunk to preload');
                }
                const names = [editor.fileName, ...editor.imports];
                const late = names.filter((name) => /\/(CodeEditor|monaco)-/.test(name));
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

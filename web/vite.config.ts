// How the page is built: Monaco and Yjs in chunks of their own that the first paint does not wait for,
// hashed assets, and a compressed twin beside everything the daemon serves.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { addresses } from './build/addresses';
import { firstPaint } from './build/firstPaint';
import { preloadWork } from './build/preloadWork';
import { precompress } from './build/precompress';

/**
 * Rollup would put Vite's preload helper into the Monaco chunk, and the entry would then import
 * all of Monaco before it paints. The helper therefore has a chunk of its own.
 */
function chunkOf(id: string): string | undefined {
    if (id.includes('vite/preload-helper') || id.includes('commonjsHelpers')) {
        return 'preload';
    }
    if (id.includes('/node_modules/monaco-editor/')) {
        return 'monaco';
    }
    if (/\/node_modules\/(yjs|lib0|y-protocols|y-websocket)\//.test(id)) {
        return 'yjs';
    }
    if (/\/node_modules\/(react|react-dom|scheduler)\//.test(id)) {
        return 'react';
    }
    return undefined;
}

/** Where the development server finds the API and the rooms. */
const DAEMON = process.env.VVE_URL ?? 'http://localhost:8080';

export default defineConfig({
    plugins: [react(), firstPaint(), preloadWork(), addresses(), precompress()],
    build: {
        target: 'es2022',
        chunkSizeWarningLimit: 3200,
        rollupOptions: { output: { manualChunks: chunkOf } },
    },
    server: {
        proxy: {
            '/api': DAEMON,
            // Host and Origin stay a pair: the daemon compares them.
            '/collab': { target: DAEMON, ws: true },
            '/readyz': DAEMON,
        },
    },
    test: { include: ['{src,build}/**/*.test.{ts,tsx}'] },
});

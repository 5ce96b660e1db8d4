// Writes a .br and a .gz beside every file worth compressing: the daemon picks by
// Accept-Encoding and never compresses anything itself.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const COMPRESSIBLE = /\.(js|css|html|svg|json|txt|ttf)$/;

async function compress(path: string): Promise<void> {
    const bytes = await readFile(path);
    const br = promisify(brotliCompress)(bytes, {
        params: {
            [constants.BROTLI_PARAM_QUALITY]: 11,
            [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
    });
    const gz = promisify(gzip)(bytes, { level: 9 });
    await Promise.all([writeFile(`${path}.br`, await br), writeFile(`${path}.gz`, await gz)]);
}

export function precompress(): Plugin {
    return {
        name: 'vve:precompress',
        apply: 'build',
        async writeBundle({ dir }) {
            if (dir === undefined) {
                throw new Error('the output folder is not known');
            }
            const entries = await readdir(dir, { recursive: true });
            const wanted = entries.filter((name) => COMPRESSIBLE.test(name));
            await Promise.all(wanted.map((name) => compress(join(dir, name))));
        },
    };
}

// What src/api/openapi.json promises, held against the status of every answer that a test gets.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './daemon.js';

const DOCUMENT = JSON.parse(readFileSync(join(ROOT, 'src/api/openapi.json'), 'utf8'));

const PATHS = Object.entries(DOCUMENT.paths).map(([path, operations]) => ({
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    operations,
}));

// What the server refuses before it looks at the call: the shared `default` response.
function isRefusedAtEdge({ status, json }) {
    return (
        [405, 408, 411, 413, 414, 417, 431, 501, 505].includes(status) ||
        (status === 503 && json?.error.code === 'too_many_connections')
    );
}

// Paths that are not of the API, and preflights, which are the browsers' own matter, pass.
export function assertDocumented(method, path, answer) {
    const found = PATHS.find(({ pattern }) => pattern.test(path.split('?')[0]));
    if (found === undefined || method === 'OPTIONS') return;
    const operation = found.operations[method === 'HEAD' ? 'get' : method.toLowerCase()];
    const responses = operation?.responses ?? { default: true };
    const documented =
        answer.status in responses || ('default' in responses && isRefusedAtEdge(answer));
    assert.ok(documented, `${method} ${path}: ${answer.status} is not in the document`);
}

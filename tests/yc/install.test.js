// The library as others meet it: installed alone, found by pkg-config, used by the program in its
// README, two of which must converge; and nothing but yc_ names goes out of the shared library.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

const source = path.join(__dirname, '../../src/yc');
const home = mkdtempSync(path.join(tmpdir(), 'vve-test-yc-'));
const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' });
const installed = (...names) => path.join(home, 'installed', ...names);

test.before(() => {
    const build = path.join(home, 'build');
    run('cmake', '-S', source, '-B', build, `-DCMAKE_INSTALL_PREFIX=${installed()}`);
    run('cmake', '--build', build, '-j', '2');
    run('cmake', '--install', build);
    const [, program] = /```c\n(.*?)```/s.exec(readFileSync(`${source}/README.md`, 'utf8'));
    writeFileSync(path.join(home, 'pair.c'), program);
});
test.after(() => rmSync(home, { recursive: true }));

function pkgConfig(...args) {
    const env = { ...process.env, PKG_CONFIG_PATH: run('find', home, '-name', 'pkgconfig').trim() };
    const words = execFileSync('pkg-config', [...args, 'yc'], { encoding: 'utf8', env });
    return words.trim().split(/\s+/);
}

function library(name) {
    return run('find', installed(), '-name', name).trim();
}

// Two of the programs, what one says going to the other; what each of them says it sees.
async function pair(program, env) {
    const both = ['1', '2'].map((id) => spawn(program, [id, `from ${id}.`], { env }));
    both[0].stdout.pipe(both[1].stdin);
    both[1].stdout.pipe(both[0].stdin);
    return Promise.all(
        both.map(async (child) => {
            let said = '';
            child.stderr.on('data', (text) => (said += text));
            const [code] = await new Promise((resolve) =>
                child.on('close', (...result) => resolve(result)),
            );
            assert.equal(code, 0, said);
            return said;
        }),
    );
}

for (const kind of ['shared', 'static']) {
    test(`two programs converge with the ${kind} library`, async () => {
        const program = path.join(home, kind);
        const flags = kind === 'shared' ? pkgConfig('--cflags', '--libs') : pkgConfig('--cflags');
        if (kind === 'static') flags.push(library('libyc.a'));
        run('cc', '-Wall', '-Wextra', '-Werror', '-o', program, `${home}/pair.c`, ...flags);
        const env = { ...process.env, LD_LIBRARY_PATH: path.dirname(library('libyc.so')) };
        const [one, two] = await pair(program, env);
        assert.equal(one, 'from 1.from 2.\n');
        assert.equal(two, one);
    });
}

test('the header is C++ too, and short', () => {
    const [flag] = pkgConfig('--cflags');
    writeFileSync(path.join(home, 'check.cc'), '#include <yc.h>\nint main() { return YC_OK; }\n');
    run('c++', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', flag, `${home}/check.cc`);
    const lines = readFileSync(installed('include', 'yc.h'), 'utf8').split('\n').length;
    assert.ok(lines <= 500, `${lines} lines`);
});

function declaredCalls() {
    const header = readFileSync(installed('include', 'yc.h'), 'utf8').replace(/\/\*.*?\*\//gs, '');
    return [...header.matchAll(/YC_API[^;{]*?\b(yc_\w+)\(/g)].map(([, name]) => name);
}

test('every call of the header is made by a test', () => {
    const tests = path.join(__dirname, '..');
    const sources = run(
        'find',
        `${tests}/unit`,
        `${tests}/yc`,
        '-name',
        '*.c',
        '-not',
        '-path',
        '*/node_modules/*',
    );
    const text = sources
        .trim()
        .split('\n')
        .map((file) => readFileSync(file, 'utf8'))
        .join('');
    const calls = declaredCalls();
    assert.ok(calls.length > 40);
    assert.deepEqual(
        calls.filter((name) => !text.includes(`${name}(`)),
        [],
    );
});

test('the shared library shows every call of the header and nothing else', () => {
    const shown = run('nm', '-D', '--defined-only', library('libyc.so'))
        .split('\n')
        .map((line) => line.split(' ').pop())
        .filter((name) => name !== '');
    assert.deepEqual(shown.sort(), declaredCalls().sort());
});

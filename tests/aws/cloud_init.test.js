// The cloud-init file: that the template holds it byte for byte, and that each file it writes is
// what the program that reads it wants. CLOUD_INIT is Debian's package, unpacked.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { AWS, readTemplate, ROOT, userData } from './lib/template.js';

const MOST_USER_DATA = 16384;
const MOST_TEMPLATE = 51200;
const FILE = `${AWS}cloud-init.yaml`;
const TEXT = readFileSync(FILE, 'utf8');
const SITE = {
    Domain: 'code.example.net',
    PackageUrl: 'https://example.org/vve_0.1.0_amd64.deb',
    PackageSha256: '0'.repeat(64),
};

const folder = mkdtempSync(join(tmpdir(), 'vve-cloud-init-'));
after(() => rmSync(folder, { recursive: true }));

function run(program, words, options = {}) {
    const { status, stdout, stderr, error } = spawnSync(program, words, {
        encoding: 'utf8',
        timeout: 60_000,
        ...options,
    });
    assert.ifError(error);
    return { status, text: stdout + stderr, stdout };
}

function filled(text, values = SITE) {
    return text.replace(/\$\{(\w+)\}/g, (whole, name) => values[name]);
}

const CONFIG = parse(filled(TEXT));

function written(path) {
    const file = CONFIG.write_files.find((each) => each.path === path);
    assert.ok(file, path);
    return file.content;
}

function scratch(name, text) {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
}

test('the template is made of its parts as they are now', () => {
    const made = run(`${AWS}build`, []);
    assert.equal(made.status, 0, made.text);
    assert.equal(made.stdout, readFileSync(`${AWS}template.yaml`, 'utf8'));
});

test('the template holds the file byte for byte', () => {
    const held = Buffer.from(userData(readTemplate('template.yaml')));
    assert.ok(held.equals(readFileSync(FILE)));
});

test("the operator's three values are there once each, and nothing else is replaced", () => {
    const names = [...TEXT.matchAll(/\$\{(.*?)\}/g)].map((match) => match[1]);
    assert.deepEqual(names, Object.keys(SITE));
    assert.equal(TEXT.split('${').length - 1, 3);
    const holder = CONFIG.write_files.filter((file) => file.content.includes(SITE.Domain));
    assert.deepEqual(
        holder.map((file) => file.path),
        ['/etc/vve-site.conf'],
    );
});

test('it is small enough, with the longest values too', () => {
    const url = `https://${'a'.repeat(1024)}.deb`;
    const longest = filled(TEXT, { ...SITE, Domain: 'a'.repeat(253), PackageUrl: url });
    assert.ok(Buffer.byteLength(longest) <= MOST_USER_DATA, String(Buffer.byteLength(longest)));
    assert.ok(readFileSync(`${AWS}template.yaml`).length <= MOST_TEMPLATE);
});

test('cloud-init takes it, and would say if not', () => {
    const root = process.env.CLOUD_INIT;
    assert.ok(root, 'CLOUD_INIT is not set');
    const check = (file) =>
        run('/usr/bin/python3', [`${root}/usr/bin/cloud-init`, 'schema', '--config-file', file], {
            env: { ...process.env, PYTHONPATH: `${root}/usr/lib/python3/dist-packages` },
        });
    const whole = check(scratch('user-data', filled(TEXT)));
    assert.equal(whole.status, 0, whole.text);
    const broken = TEXT.replace('package_upgrade: true', 'package_upgrade: maybe');
    assert.match(check(scratch('broken', broken)).text, /'maybe' is not of type 'boolean'/);
});

test('its scripts pass shellcheck, and nothing else is run', () => {
    const check = (text) => {
        scratch('vve-site.conf', written('/etc/vve-site.conf'));
        // Where it would read the operator's values on a server, they are beside it here.
        const script = scratch('script', text.replace('\n. /etc/', '\n. ./'));
        return run('shellcheck', ['-x', '-a', script], { cwd: folder });
    };
    const scripts = CONFIG.write_files.filter((file) => file.content.startsWith('#!'));
    for (const { path, content, permissions } of scripts) {
        const said = check(content);
        assert.equal(said.status, 0, said.text);
        assert.notEqual(check(`${content}rm $folder\n`).status, 0, 'not noticed');
        assert.equal(permissions, '0755', path);
    }
    assert.deepEqual(
        CONFIG.runcmd,
        scripts.map(({ path }) => [path]),
    );
});

// What vve-setup does when the package is one with the given sum: its commands that would change this
// machine say so instead. Returns its words, and the file that Caddy would get.
function setUp(sum) {
    const holder = written('/etc/vve-site.conf').replace(SITE.PackageSha256, sum);
    const caddyfile = scratch('Caddyfile', '');
    const script = written('/usr/local/sbin/vve-setup')
        .replaceAll('/etc/vve-site.conf', scratch('site', holder))
        .replaceAll('/usr/share/doc/vve/examples/Caddyfile', `${ROOT}deploy/proxy/Caddyfile`)
        .replaceAll('/etc/caddy/Caddyfile', caddyfile);
    const stubs = `
        systemctl() { echo "systemctl $*"; }
        apt-get() { echo "apt-get $*"; }
        curl() { while [[ $1 != -o ]]; do shift; done; printf package >"$2"; }
    `;
    return { ...run('bash', ['-c', stubs + script]), caddyfile };
}

const RIGHT = createHash('sha256').update('package').digest('hex');

test('a package is installed if it is the one that was meant, and else nothing goes on', () => {
    const meant = setUp(RIGHT);
    assert.equal(meant.status, 0, meant.text);
    assert.match(meant.text, /apt-get install .*\/vve\.deb\nsystemctl restart caddy\n/);
    const other = setUp(SITE.PackageSha256);
    assert.notEqual(other.status, 0);
    assert.doesNotMatch(other.text, /apt-get install .*vve\.deb|restart caddy/);
});

test("Caddy gets the package's file with the domain in it, and takes it", () => {
    const { caddyfile } = setUp(RIGHT);
    const env = { PATH: process.env.PATH, HOME: folder };
    const caddy = (...words) => run('caddy', [...words, '--adapter', 'caddyfile'], { env });
    const valid = caddy('validate', '--config', caddyfile);
    assert.equal(valid.status, 0, valid.text);
    assert.doesNotMatch(valid.text, /"level":"(warn|error)"/);
    const { servers } = JSON.parse(caddy('adapt', '--config', caddyfile).stdout).apps.http;
    assert.deepEqual(
        Object.values(servers).map(({ listen, routes }) => [
            listen,
            routes.map(({ match }) => match),
        ]),
        [[[':443'], [[{ host: [SITE.Domain] }]]]],
    );
    assert.match(JSON.stringify(servers), /"upstreams":\[\{"dial":"127\.0\.0\.1:8080"\}\]/);
    writeFileSync(caddyfile, 'example.org {\n\treverse_prox\n}\n');
    assert.notEqual(caddy('validate', '--config', caddyfile).status, 0);
});

test('Docker gets the settings of the package', () => {
    const package_ = readFileSync(`${ROOT}deploy/package/daemon.json`, 'utf8');
    assert.equal(written('/etc/docker/daemon.json'), package_);
});

test('apt reads that updates come by themselves', () => {
    const file = scratch('60vve', written('/etc/apt/apt.conf.d/60vve'));
    const { text } = run('apt-config', ['-c', file, 'dump']);
    for (const line of [
        'APT::Periodic::Update-Package-Lists "1";',
        'APT::Periodic::Unattended-Upgrade "1";',
        'Unattended-Upgrade::Automatic-Reboot "true";',
    ]) {
        assert.ok(text.split('\n').includes(line), line);
    }
});

test('the machine has swap, and what it must not be without', () => {
    assert.deepEqual(CONFIG.swap, { filename: '/swapfile', size: '2G' });
    assert.match(written('/etc/sysctl.d/60-vve.conf'), /^vm\.swappiness = 10$/m);
    assert.match(written('/etc/systemd/journald.conf.d/vve.conf'), /^SystemMaxUse=200M$/m);
    assert.match(
        written('/etc/systemd/system/docker.service.d/vve.conf'),
        /^OOMScoreAdjust=-500$/m,
    );
});

// Real proxies with the project's own configurations, but for what a test cannot take as it is there:
// ports, certificate, the daemon's address, and a wait of ten seconds.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { ROOT } from '../../integration/lib/daemon.js';
import { start, temporaryFolder, until } from '../../integration/lib/process.js';
import { freePort } from '../../rooms/lib/house.js';

export const HOST = 'vve.example.org';
export const HEAD_MS = 2_000; // how long both wait for the head of a request, instead of 10 s

const read = (name) => readFileSync(join(ROOT, 'deploy/proxy', name), 'utf8');

// Every replacement must find its place, or the test would not test what it says.
function replaced(text, replacements) {
    return Object.entries(replacements).reduce((before, [from, to]) => {
        const after = before.replaceAll(from, () => to);
        if (after === before) throw new Error(`there is no ${from} to replace`);
        return after;
    }, text);
}

function makeCertificate(folder) {
    const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => join(folder, name));
    const subject = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`];
    execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
            .concat(['-days', '2', '-keyout', key, '-out', certificate])
            .concat(subject),
        { stdio: 'ignore' },
    );
    return { key, certificate };
}

// Around the site is what an operator may well have set for all sites.
function nginx({ folder, key, certificate, ports, daemon }) {
    const file = join(folder, 'nginx.conf');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const site = replaced(read('nginx.conf'), {
        [`/etc/letsencrypt/live/${HOST}/fullchain.pem`]: certificate,
        [`/etc/letsencrypt/live/${HOST}/privkey.pem`]: key,
        '/var/www/html;': `${folder};`,
        'listen 80;': `listen 127.0.0.1:${ports.http};`,
        'listen [::]:80;': '',
        'listen 443 ': `listen 127.0.0.1:${ports.https} `,
        'listen [::]:443 ssl http2;': '',
        'client_header_timeout 10s;': `client_header_timeout ${HEAD_MS}ms;`,
        '127.0.0.1:8080;': `127.0.0.1:${daemon.port};`,
    });
    writeFileSync(
        file,
        `user root; pid ${folder}/pid; error_log stderr; worker_processes 2;
        events { worker_connections 768; }
        http {
            ${temporary.join('\n')}
            access_log off; gzip on; gzip_types *; gzip_proxied any;
            ${site}
        }`,
    );
    const options = ['-c', file, '-e', 'stderr'];
    return {
        check: ['nginx', '-t', '-q', ...options],
        run: ['nginx', '-g', 'daemon off;', ...options],
    };
}

function caddy({ folder, key, certificate, ports, daemon }) {
    const file = join(folder, 'Caddyfile');
    const settings = replaced(read('Caddyfile'), {
        '\n{\n': `\n{\n\tadmin off\n\tocsp_stapling off\n\thttp_port ${ports.http}\n\thttps_port ${ports.https}\n`,
        'read_header 10s': `read_header ${HEAD_MS}ms`,
        [`\n${HOST} {\n`]: `\n${HOST} {\n\tbind 127.0.0.1\n\ttls ${certificate} ${key}\n`,
        ' 127.0.0.1:8080 {': ` 127.0.0.1:${daemon.port} {`,
    });
    writeFileSync(file, settings);
    const options = ['--config', file, '--adapter', 'caddyfile'];
    return { check: ['caddy', 'validate', ...options], run: ['caddy', 'run', ...options] };
}

export const KINDS = { nginx, caddy };

// { folder, port, httpPort, secure, url, check, up, down, stop }: `secure` and `url` are what clients
// need to come to `port` by the host's name; nginx serves files for certificates from `folder`.
export async function startProxy(kind, daemon) {
    const folder = temporaryFolder();
    const pair = makeCertificate(folder.path);
    const ports = { http: await freePort(), https: await freePort() };
    const commands = KINDS[kind]({ folder: folder.path, ...pair, ports, daemon });
    const home = { XDG_CONFIG_HOME: folder.path, XDG_DATA_HOME: folder.path };
    const options = { env: { ...process.env, ...home } };
    const spawn = ([program, ...args]) => start(program, args, options);
    const lookup = (_name, { all }, done) =>
        all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
    const proxy = {
        folder: folder.path,
        port: ports.https,
        httpPort: ports.http,
        secure: { host: HOST, servername: HOST, lookup, ca: readFileSync(pair.certificate) },
        url: `wss://${HOST}:${ports.https}/collab`,
        server: null,
        // Resolves with { code, log } of the proxy's own look at its configuration.
        async check() {
            const checker = spawn(commands.check);
            return { code: await checker.exit, log: checker.log };
        },
        async up() {
            proxy.server = spawn(commands.run);
            await until(`${kind} to serve`, () => {
                if (proxy.server.exited) throw new Error(`${kind} ended:\n${proxy.server.log}`);
                return new Promise((resolve) => {
                    const socket = connect({ ...proxy.secure, port: proxy.port });
                    socket.on('secureConnect', () => socket.end(() => resolve(true)));
                    socket.on('error', () => resolve(false));
                });
            });
        },
        async down() {
            proxy.server.signal('SIGTERM');
            await until(`${kind} to end`, () => proxy.server.exited);
        },
        async stop() {
            if (!proxy.server.exited) await proxy.down();
            folder.remove();
        },
    };
    await proxy.up();
    return proxy;
}

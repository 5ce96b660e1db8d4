// The page away from its daemon: a stand-in for Vercel serves web/dist as web/vercel.json says, read by
// Vercel's own package, for a daemon at another origin. Both speak TLS, under the names that a
// browser is told of.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import net, { type AddressInfo, type Server } from 'node:net';
import { extname, join } from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { getTransformedRoutes, isHandler } from '@vercel/routing-utils';
import { addressesOf, withAddresses } from '../../web/build/addresses.js';

export const WEB = fileURLToPath(new URL('../../web', import.meta.url));
export const API = 'https://api.example.org';
/** Every name below vercel.app is one of the page. */
export const PAGE = 'https://vve-git-main-ada.vercel.app';

const TYPES: Record<string, string> = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.svg': 'image/svg+xml',
};

export const config = JSON.parse(await readFile(join(WEB, 'vercel.json'), 'utf8'));

async function fileAt(path: string): Promise<Buffer | null> {
    const name = path === '/' ? '/index.html' : path;
    const bytes = await readFile(join(WEB, config.outputDirectory, name)).catch(() => null);
    if (bytes === null || name !== '/index.html') {
        return bytes;
    }
    return Buffer.from(withAddresses(String(bytes), addressesOf({ VITE_API_BASE: API })));
}

/** The headers of all routes that match, and a file; where there is none, what a rewrite names. */
export async function answerTo(
    path: string,
): Promise<{ headers: Record<string, string>; body: Buffer | null }> {
    const { routes, error } = getTransformedRoutes(config);
    if (routes === null) {
        throw new Error(`vercel.json: ${error?.message}`);
    }
    const headers: Record<string, string> = {};
    let body: Buffer | null = null;
    for (const route of routes) {
        if (isHandler(route)) {
            body = await fileAt(path);
        } else if (body === null && new RegExp(route.src!).test(path)) {
            Object.assign(headers, route.headers);
            body = route.dest === undefined ? null : await fileAt(route.dest);
        }
    }
    return { headers, body };
}

function pageServer(identity: tls.TlsOptions): Server {
    return https.createServer(identity, (request, response) => {
        const path = new URL(request.url!, PAGE).pathname;
        void answerTo(path).then(({ headers, body }) => {
            const type = TYPES[extname(path) || '.html'];
            const typed = type === undefined ? headers : { ...headers, 'Content-Type': type };
            response.writeHead(body === null ? 404 : 200, typed).end(body);
        });
    });
}

function daemonServer(identity: tls.TlsOptions, port: number, client: () => string): Server {
    return tls.createServer(identity, (outside) => {
        const inside = net.connect({ port, host: '127.0.0.1', localAddress: client() });
        const end = (): void => {
            outside.destroy();
            inside.destroy();
        };
        for (const socket of [outside, inside]) {
            socket.on('error', end).on('close', end);
        }
        outside.pipe(inside).pipe(outside);
    });
}

async function listen(server: Server): Promise<number> {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
}

export interface Hosts {
    /** What a browser needs to know of them. */
    args: string[];
    /** The address by which the daemon counts the runs of all who come this way. */
    client: string;
    close(): void;
}

/** Names for the page and for the daemon on this port. */
export async function startHosts(daemonPort: number): Promise<Hosts> {
    const wanted = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1';
    const options = [...wanted.split(' '), '-subj', '/CN=test', '-keyout', '-', '-out', '-'];
    const pem = execFileSync('openssl', options, { stdio: ['ignore', 'pipe', 'ignore'] });
    const identity = { key: pem, cert: pem };
    const page = pageServer(identity);
    const daemon = daemonServer(identity, daemonPort, () => hosts.client);
    const rules = [
        `MAP *.vercel.app 127.0.0.1:${await listen(page)}`,
        `MAP ${new URL(API).host} 127.0.0.1:${await listen(daemon)}`,
    ];
    const hosts: Hosts = {
        args: ['--ignore-certificate-errors', `--host-resolver-rules=${rules.join(', ')}`],
        client: '127.0.0.1',
        close: () => {
            page.close();
            daemon.close();
        },
    };
    return hosts;
}

// Tells the page of a daemon at another origin: VITE_API_BASE and VITE_WS_URL become elements of
// index.html and nothing else, so that a bundle is the same for every daemon. Without them the page
// asks its own origin, and index.html has no such elements.
//
// Whoever serves such a page cannot know the daemon when he writes down the headers, so index.html
// also narrows to the daemon what the page may connect to. Both policies hold.
import type { Plugin } from 'vite';

/** The mode of a build that is of no use without a daemon elsewhere, and is served over https. */
const APART = 'apart';

/** Origins; null: not named. */
export interface Addresses {
    api: string | null;
    rooms: string | null;
}

/** What a policy can name; it has no IPv6 addresses. */
const HOST = '[a-z0-9.-]+(:[0-9]{1,5})?';

type Environment = Partial<Record<string, string>>;

function originIn(env: Environment, name: string, scheme: string, path: string): string | null {
    const text = env[name] ?? '';
    if (text === '') {
        return null;
    }
    if (!new RegExp(`^${scheme}s?://${HOST}$`).test(text)) {
        throw new Error(
            `${name}: "${text}" is not ${scheme}s://host[:port] or ${scheme}://host[:port], in ` +
                `lower case and with nothing behind it: the page adds ${path} by itself.`,
        );
    }
    return text;
}

/** What these variables say; throws what is wrong with them. */
export function addressesOf(env: Environment, mode = ''): Addresses {
    const api = originIn(env, 'VITE_API_BASE', 'http', '/api');
    const rooms = originIn(env, 'VITE_WS_URL', 'ws', '/collab');
    if (mode === APART && !api?.startsWith('https:')) {
        throw new Error(
            'VITE_API_BASE must name the daemon, as in https://api.example.org: this page is ' +
                'served over https, and browsers let it connect to nothing less.',
        );
    }
    if (mode === APART && rooms?.startsWith('ws:')) {
        throw new Error('VITE_WS_URL must begin with wss://, or be left out.');
    }
    return { api, rooms: rooms ?? api?.replace(/^http/, 'ws') ?? null };
}

/** The page for a daemon at these addresses. */
export function withAddresses(html: string, { api, rooms }: Addresses): string {
    const named = [api, rooms].filter((origin) => origin !== null);
    if (named.length === 0) {
        return html;
    }
    const policy = `connect-src 'self' ${named.join(' ')}`;
    const lines = [
        '<head>',
        `<meta http-equiv="Content-Security-Policy" content="${policy}" />`,
        ...(api === null ? [] : [`<meta name="vve-api" content="${api}" />`]),
        ...(rooms === null ? [] : [`<meta name="vve-rooms" content="${rooms}" />`]),
    ];
    // In front of all scripts: a policy holds from where it stands.
    return html.replace('<head>', lines.join('\n        '));
}

export function addresses(): Plugin {
    let known: Addresses;
    return {
        name: 'vve:addresses',
        configResolved({ env, mode }) {
            known = addressesOf(env, mode);
        },
        transformIndexHtml: { order: 'post', handler: (html) => withAddresses(html, known) },
    };
}

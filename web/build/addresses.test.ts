// Which addresses a build takes, and what becomes of them in index.html.
import { resolveConfig } from 'vite';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { addressesOf, withAddresses } from './addresses';

afterEach(() => void vi.unstubAllEnvs());

describe('addresses', () => {
    it.each([
        [{}, null, null],
        [{ VITE_API_BASE: '', VITE_WS_URL: '' }, null, null],
        [
            { VITE_API_BASE: 'https://api.example.org' },
            'https://api.example.org',
            'wss://api.example.org',
        ],
        [{ VITE_API_BASE: 'http://127.0.0.1:80' }, 'http://127.0.0.1:80', 'ws://127.0.0.1:80'],
        [{ VITE_WS_URL: 'ws://localhost:8080' }, null, 'ws://localhost:8080'],
        [
            {
                VITE_API_BASE: 'https://api.example.org',
                VITE_WS_URL: 'wss://rooms.example.org',
            },
            'https://api.example.org',
            'wss://rooms.example.org',
        ],
    ])('%j', (env, api, rooms) => {
        expect(addressesOf(env)).toEqual({ api, rooms });
    });

    it.each([
        'api.example.org',
        'https://',
        'wss://api.example.org',
        'ftp://api.example.org',
        'https://api.example.org/',
        'https://api.example.org/api',
        'https://api.example.org?x',
        'https://api.example.org#x',
        'https://ada@api.example.org',
        'https://API.example.org',
        'https://api.example.org:',
        'https://api.example.org:port',
        'https://api.example.org"onx',
        'https://api.example.org ',
        ' https://api.example.org',
        'https://api.example.org;',
        'https://api.example.org" />',
        'https://*.example.org',
        'https://[::1]:8080',
        'https://api.example.org https://evil.example.org',
    ])('refuses the API at %j', (text) => {
        expect(() => addressesOf({ VITE_API_BASE: text })).toThrow(
            `VITE_API_BASE: "${text}" is`,
        );
    });

    it.each(['https://a', 'wss://a/', 'wss://a/collab', 'a'])('refuses rooms at %j', (text) => {
        expect(() => addressesOf({ VITE_WS_URL: text })).toThrow(
            `VITE_WS_URL: "${text}" is not wss://host[:port] or ws://host[:port]`,
        );
    });

    it('wants a daemon that a page over https can reach, where the build is for such a page', () => {
        const secure = { VITE_API_BASE: 'https://a' };
        expect(addressesOf(secure, 'apart').rooms).toBe('wss://a');
        expect(() => addressesOf({}, 'apart')).toThrow('VITE_API_BASE must name');
        expect(() => addressesOf({ VITE_API_BASE: 'http://a' }, 'apart')).toThrow('must name');
        expect(() => addressesOf({ ...secure, VITE_WS_URL: 'ws://a' }, 'apart')).toThrow('wss');
    });
});

describe('index.html', () => {
    const html = '<html><head><script src="/x.js"></script></head></html>';

    it('is left as it is without addresses', () => {
        expect(withAddresses(html, { api: null, rooms: null })).toBe(html);
    });

    it('names them, and allows no others, in front of all scripts', () => {
        const named = withAddresses(html, { api: 'https://a', rooms: 'wss://b' });
        const head = named.slice(0, named.indexOf('<script'));
        expect([...head.matchAll(/content="(.*?)"/g)].map(([, content]) => content)).toEqual([
            "connect-src 'self' https://a wss://b",
            'https://a',
            'wss://b',
        ]);
    });

    it('gets what the environment of the build says', async () => {
        vi.stubEnv('VITE_API_BASE', 'https://a.example.org');
        const { plugins } = await resolveConfig({}, 'build', 'apart');
        const plugin = plugins.find(({ name }) => name === 'vve:addresses');
        const hook = plugin?.transformIndexHtml as { handler(html: string): string };
        expect(hook.handler(html)).toContain('content="wss://a.example.org"');
        vi.stubEnv('VITE_API_BASE', 'https://a.example.org/');
        await expect(resolveConfig({}, 'build')).rejects.toThrow('VITE_API_BASE: "https://a');
        vi.stubEnv('VITE_API_BASE', '');
        await expect(resolveConfig({}, 'build', 'apart')).rejects.toThrow('must name');
    });
});

// Where the daemon is: at the page's own origin, unless the build has named another one in index.html
// (build/addresses.ts).

function said(name: string): string | undefined {
    return document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content;
}

/** What comes before the paths of the API; empty: they are the page's own. */
export function apiBase(): string {
    return said('vve-api') ?? '';
}

/** What comes before the paths of rooms. */
export function roomsBase(): string {
    return said('vve-rooms') ?? location.origin.replace(/^http/, 'ws');
}

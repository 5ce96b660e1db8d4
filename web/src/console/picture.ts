// Pictures in a program's output, between the codes that iTerm2 has for them:
// ESC ] 1337 ; File = KEY=VALUE;... : BASE64 BEL. Only PNG, which holds nothing that acts or refers
// to other places, and whose size is known from its first bytes.

/** What a PNG begins with, in base64: its signature, the length and the name of its header, and
    the first four bits of its width, which are 0. */
const PNG = 'iVBORw0KGgoAAAANSUhEUg';
/** Where the header's width and height end, in bytes and in letters of base64. */
const SIZE_END = 24;
const SIZE_LETTERS = 32;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const SIDE_MAX = 4096;

export interface Picture {
    /** To show it from. */
    address: string;
    width: number;
    height: number;
    /** 1 = the first of its run. */
    number: number;
}

/** Whether this control sequence shows a picture. */
export function isPicture(token: string): boolean {
    return token.startsWith('\x1b]1337;File=');
}

/** Null for whatever is no PNG of a sensible size. */
export function readPicture(token: string, number: number): Picture | null {
    const end = token.endsWith('\x07') ? -1 : -2;
    const data = token.slice(token.indexOf(':') + 1, end).replace(/\s+/g, '');
    if (!data.startsWith(PNG) || !BASE64.test(data) || data.length < SIZE_LETTERS) {
        return null;
    }
    const head = Uint8Array.from(atob(data.slice(0, SIZE_LETTERS)), (c) => c.charCodeAt(0));
    const view = new DataView(head.buffer);
    const [width, height] = [view.getUint32(SIZE_END - 8), view.getUint32(SIZE_END - 4)];
    const isShown = width > 0 && height > 0 && width <= SIDE_MAX && height <= SIDE_MAX;
    return isShown ? { address: `data:image/png;base64,${data}`, width, height, number } : null;
}

// Reads a file that somebody chose as the text of a program, or says why it cannot be one.
import type { Limits } from '../api/types';
import { layerStrings as strings } from '../layerStrings';
import { withoutReturns } from '../text/edit';

/** Not even read when it is larger, for as long as the daemon's limit is not known. */
const BYTES_MAX = 1 << 20;

export type Reading = { text: string } | { problem: string };

/** Longest name of a file that is said; the rest is an ellipsis. */
const NAME_MAX = 60;

export function shortName({ name }: Pick<File, 'name'>): string {
    const letters = [...name];
    return letters.length > NAME_MAX ? `${letters.slice(0, NAME_MAX - 1).join('')}…` : name;
}

/** The text of these bytes with only LF as line ends and without a byte order mark. */
export function textOfBytes(bytes: ArrayBuffer): Reading {
    try {
        const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
        return text.includes('\0')
            ? { problem: strings.file.noText }
            : { text: withoutReturns(text) };
    } catch {
        return { problem: strings.file.notUtf8 };
    }
}

export async function readPython(file: File, limits: Limits | null): Promise<Reading> {
    const most = limits?.codeBytes ?? BYTES_MAX;
    if (file.size > most) {
        return { problem: strings.file.tooLarge(file.size, most) };
    }
    try {
        return textOfBytes(await file.arrayBuffer());
    } catch {
        return { problem: strings.file.unreadable };
    }
}

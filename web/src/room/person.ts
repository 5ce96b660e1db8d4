// Who somebody is in a room: a name and one of twelve colours. Both come from other people's
// browsers and are not to be trusted. A colour travels as a number, never as words for a style.

/** tokens.css has as many, --person-0 and so on. */
export const COLOURS = 12;
export const NAME_MAX = 24;

export interface Person {
    name: string;
    colour: number;
}

const ADJECTIVES =
    'Amber Brave Bright Calm Clever Eager Fair Gentle Happy Jolly Kind Lively Lucky Merry ' +
    'Mellow Nimble Patient Proud Quick Quiet Sunny Swift Witty Wise';
const ANIMALS =
    'Badger Bear Crane Dolphin Falcon Finch Fox Hare Hedgehog Heron Ibis Lark Lynx Marten ' +
    'Mole Newt Otter Owl Panda Raven Robin Seal Stork Swan Tapir Wren';

export function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === 'object' && value !== null;
}

/** One short line without anything invisible; empty when nothing of it is left. */
export function cleanName(value: unknown): string {
    if (typeof value !== 'string') {
        return '';
    }
    const visible = value
        .slice(0, 40 * NAME_MAX)
        .replace(/\s+/gu, ' ')
        .replace(/\p{C}/gu, '')
        // A letter may carry two marks; more of them would grow over the lines around it.
        .replace(/(\p{M}{2})\p{M}+/gu, '$1');
    return [...visible.trim()].slice(0, NAME_MAX).join('').trim();
}

function isColour(value: unknown): value is number {
    return Number.isInteger(value) && Number(value) >= 0 && Number(value) < COLOURS;
}

/** Who somebody says to be; `fallback` stands in for what is missing. */
export function personOf(value: unknown, fallback: Person): Person {
    const said = isRecord(value) ? value : {};
    return {
        name: cleanName(said.name) || fallback.name,
        colour: isColour(said.colour) ? said.colour : fallback.colour,
    };
}

/** `draw` gives a number from 0 (included) to 1. */
export function randomPerson(draw: () => number): Person {
    const pick = (words: string): string => {
        const list = words.split(' ');
        return list[Math.floor(draw() * list.length)]!;
    };
    return {
        name: `${pick(ADJECTIVES)} ${pick(ANIMALS)}`,
        colour: Math.floor(draw() * COLOURS),
    };
}

/** The colour that the fewest have; one's own if it is among those, else the next one after it. */
export function leastUsed(taken: readonly number[], own: number): number {
    const usersOf = (colour: number): number => taken.filter((one) => one === colour).length;
    const colours = Array.from({ length: COLOURS }, (_, step) => (own + step) % COLOURS);
    const fewest = Math.min(...colours.map(usersOf));
    return colours.find((colour) => usersOf(colour) === fewest)!;
}

/** "Quiet Heron" -> "QH" */
export function initialsOf(name: string): string {
    const words = name.split(' ').filter(Boolean);
    const ends = words.length > 1 ? [words[0]!, words.at(-1)!] : words;
    return ends.map((word) => [...word][0]!.toUpperCase()).join('');
}

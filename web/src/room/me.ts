// Who the others see: drawn once, kept in this browser, changed at will. It is kept what was drawn
// and what was chosen: a drawn name is introduced to its bearer, a drawn colour gives way to others.
import { keep, recall } from '../storage';
import { Store } from '../store';
import { isRecord, leastUsed, personOf, randomPerson, type Person } from './person';

const KEY = 'me';

function draw(): number {
    return crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
}

function recallMe(): unknown {
    try {
        return JSON.parse(recall(KEY) ?? 'null');
    } catch {
        return null;
    }
}

const kept = recallMe();
const isNew = !isRecord(kept);

export const me = new Store<Person>(personOf(kept, randomPerson(draw)));
/** Whether the name is one that we have drawn, and its bearer has not said a word to it. */
export const isNameDrawn = new Store(isNew || kept.isNameDrawn === true);
let isColourDrawn = isNew || kept.isColourDrawn === true;

function keepMe(): void {
    const drawn = { isNameDrawn: isNameDrawn.get(), isColourDrawn };
    keep(KEY, JSON.stringify({ ...me.get(), ...drawn }));
}

keepMe();

/** A part that is no good leaves that part as it was. */
export function changeMe(part: Partial<Person>): void {
    const before = me.get();
    isColourDrawn &&= part.colour === undefined;
    me.set(personOf({ ...before, ...part }, before));
    if (part.name !== undefined) {
        isNameDrawn.set(false);
    }
    keepMe();
}

/** The drawn name is known to its bearer and will do. */
export function acceptName(): void {
    isNameDrawn.set(false);
    keepMe();
}

/** Who has chosen no colour takes one that few of the others have. */
export function giveWay(taken: readonly number[]): void {
    if (isColourDrawn) {
        const person = me.get();
        me.set({ ...person, colour: leastUsed(taken, person.colour) });
        keepMe();
    }
}

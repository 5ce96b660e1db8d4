// Who the others see: drawn once, kept in this browser, changed at will.
import { keep, recall } from '../storage';
import { Store } from '../store';
import { personOf, randomPerson, type Person } from './person';

const KEY = 'me';

function draw(): number {
    return crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
}

function kept(): unknown {
    try {
        return JSON.parse(recall(KEY) ?? 'null');
    } catch {
        return null;
    }
}

export const me = new Store<Person>(personOf(kept(), randomPerson(draw)));

keep(KEY, JSON.stringify(me.get()));

/** A part that is no good leaves that part as it was. */
export function changeMe(part: Partial<Person>): void {
    const before = me.get();
    const person = personOf({ ...before, ...part }, before);
    keep(KEY, JSON.stringify(person));
    me.set(person);
}

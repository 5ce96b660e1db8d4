// Somebody's initials on their colour. A name stands beside it or in its place for screen readers.
import type { CSSProperties } from 'react';
import { initialsOf, type Person } from '../room/person';
import css from './People.module.css';

/** The colour is a number below COLOURS, so this can be no other style. */
export function tint(colour: number): CSSProperties {
    return { '--person': `var(--person-${colour})` } as CSSProperties;
}

/** isRinged: this page follows them. */
export function Avatar({ person, isRinged }: { person: Person; isRinged?: boolean }) {
    const ring = isRinged ? ` ${css.ringed}` : '';
    return (
        <span className={`${css.avatar}${ring}`} style={tint(person.colour)} aria-hidden="true">
            {initialsOf(person.name)}
        </span>
    );
}

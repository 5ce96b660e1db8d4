// The place of the line for somebody new, empty until its words have come, so that nothing moves then.
import { recall } from '../storage';
import css from './Welcome.module.css';

/** As room/me.ts keeps it, whose code comes later. */
const kept = recall('me');
const isNew = kept === null || kept.includes('"isNameDrawn":true');

export function WelcomePlace() {
    return isNew && <div className={css.place} />;
}

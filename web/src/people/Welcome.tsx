// One line for somebody new: the name that was drawn for them, and where to change it.
import { X } from 'lucide-react';
import { acceptName, isNameDrawn, me } from '../room/me';
import { useStore } from '../store';
import { strings } from '../strings';
import { peopleLayer } from './layer';
import css from './Welcome.module.css';

export function Welcome() {
    const isNew = useStore(isNameDrawn);
    const { name } = useStore(me);
    if (!isNew) {
        return null;
    }
    return (
        <div className={css.line} role="region" aria-label={strings.people.name}>
            <p>{strings.welcome.youAre(name)}</p>
            <button
                type="button"
                className={css.change}
                onClick={() => {
                    acceptName();
                    peopleLayer.set('naming');
                }}
            >
                {strings.welcome.change}
            </button>
            <button
                type="button"
                className={css.close}
                aria-label={strings.welcome.keep}
                title={strings.welcome.keep}
                onClick={acceptName}
            >
                <X size={15} aria-hidden="true" />
            </button>
        </div>
    );
}

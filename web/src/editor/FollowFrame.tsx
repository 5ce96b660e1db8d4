// The editor while it follows somebody: framed in their colour, with the way out.
import { useEffect } from 'react';
import { tint } from '../people/Avatar';
import { stopFollowing, useFollowed } from '../people/follow';
import { strings } from '../strings';
import css from './FollowFrame.module.css';

/** Stops on Escape, unless something else was open to be closed by it. */
function useStopOnEscape(isFollowing: boolean): void {
    useEffect(() => {
        if (!isFollowing) {
            return;
        }
        const onKey = (event: KeyboardEvent): void => {
            if (event.key === 'Escape' && !event.defaultPrevented) {
                stopFollowing();
            }
        };
        window.addEventListener('keydown', onKey);
        return () => window.removeEventListener('keydown', onKey);
    }, [isFollowing]);
}

export function FollowFrame() {
    const person = useFollowed();
    useStopOnEscape(person !== null);
    const isTouched = matchMedia('(hover: none)').matches;
    const words = person && strings.people.following(person.name, isTouched);
    return (
        <>
            {person !== null && (
                <div className={css.frame} style={tint(person.colour)}>
                    <button type="button" className={css.bar} onClick={stopFollowing}>
                        {words}
                    </button>
                </div>
            )}
            <p className="visually-hidden" role="status">
                {words}
            </p>
        </>
    );
}

// What opens behind the initials in the header: who is here, and one's own name and colour.
import { useEffect, useRef, useState } from 'react';
import { changeMe, me } from '../room/me';
import { NAME_MAX } from '../room/person';
import { useStore } from '../store';
import { strings } from '../strings';
import { tint } from './Avatar';
import { peopleLayer } from './layer';
import { MemberList } from './MemberList';
import css from './PeopleLayer.module.css';

function Own() {
    const { name, colour } = useStore(me);
    // What is being typed may be no name yet.
    const [typed, setTyped] = useState(name);
    const field = useRef<HTMLInputElement>(null);
    useEffect(() => {
        if (peopleLayer.get() === 'naming') {
            field.current?.focus();
            field.current?.select();
        }
    }, []);
    return (
        <div className={css.own}>
            <label className={css.field}>
                {strings.people.name}
                <input
                    ref={field}
                    type="text"
                    maxLength={NAME_MAX}
                    autoComplete="nickname"
                    spellCheck={false}
                    value={typed}
                    onChange={(event) => {
                        setTyped(event.target.value);
                        changeMe({ name: event.target.value });
                    }}
                    onBlur={() => setTyped(me.get().name)}
                />
            </label>
            <div className={css.colours} role="group" aria-label={strings.people.colour}>
                {strings.people.colours.map((words, at) => (
                    <button
                        key={words}
                        type="button"
                        style={tint(at)}
                        aria-label={words}
                        title={words}
                        aria-pressed={at === colour}
                        onClick={() => changeMe({ colour: at })}
                    />
                ))}
            </div>
        </div>
    );
}

/** onFollow: somebody was chosen to be followed, or no longer. */
export function PeopleLayer({ onFollow }: { onFollow(): void }) {
    return (
        <>
            <MemberList onFollow={onFollow} />
            <Own />
        </>
    );
}

// Who is here: a few initials in the header, and behind them the list, one's own name and colour,
// and the link that lets others in.
import { useEffect, useRef, useState } from 'react';
import { roomState } from '../page';
import { keepsEdits } from '../room/keepsEdits';
import { changeMe, me } from '../room/me';
import { NAME_MAX } from '../room/person';
import { useStore } from '../store';
import { strings } from '../strings';
import { Avatar, tint } from './Avatar';
import css from './People.module.css';

const AVATARS_MAX = 5;

function List() {
    const { members } = useStore(roomState);
    return (
        <ul className={css.list} aria-label={strings.people.here}>
            {members.map((member) => (
                <li key={member.client}>
                    <Avatar person={member} />
                    <span>{member.isMe ? strings.people.me(member.name) : member.name}</span>
                </li>
            ))}
        </ul>
    );
}

function Own() {
    const { name, colour } = useStore(me);
    // What is being typed may be no name yet.
    const [typed, setTyped] = useState(name);
    return (
        <div className={css.own}>
            <label className={css.field}>
                {strings.people.name}
                <input
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

function Link() {
    return (
        <label className={css.field}>
            {strings.people.link}
            <input
                type="text"
                readOnly
                value={location.href}
                onFocus={(event) => event.target.select()}
            />
            <span className={css.hint}>{strings.people.linkHint}</span>
        </label>
    );
}

function Keeping() {
    const isKeeping = useStore(keepsEdits);
    return (
        <label className={css.choice}>
            <input
                type="checkbox"
                checked={isKeeping}
                onChange={() => keepsEdits.set(!isKeeping)}
            />
            <span>
                {strings.people.keeps}
                <span className={css.hint}>{strings.people.keepsHint}</span>
            </span>
        </label>
    );
}

export function People() {
    const { members } = useStore(roomState);
    const [isOpen, setOpen] = useState(false);
    const frame = useRef<HTMLDivElement>(null);
    const opener = useRef<HTMLButtonElement>(null);
    const name = strings.people.open(members.length);

    useEffect(() => {
        if (!isOpen) {
            return;
        }
        const onPointer = (event: PointerEvent): void => {
            if (!frame.current?.contains(event.target as Node)) {
                setOpen(false);
            }
        };
        const onKey = (event: KeyboardEvent): void => {
            if (event.key === 'Escape') {
                setOpen(false);
                opener.current?.focus();
            }
        };
        document.addEventListener('pointerdown', onPointer);
        document.addEventListener('keydown', onKey);
        return () => {
            document.removeEventListener('pointerdown', onPointer);
            document.removeEventListener('keydown', onKey);
        };
    }, [isOpen]);

    if (members.length === 0) {
        return null;
    }
    return (
        <div ref={frame} className={css.people}>
            <button
                ref={opener}
                type="button"
                className={css.opener}
                aria-label={name}
                title={name}
                aria-expanded={isOpen}
                aria-controls="people"
                onClick={() => setOpen(!isOpen)}
            >
                {members.slice(0, AVATARS_MAX).map((member) => (
                    <Avatar key={member.client} person={member} />
                ))}
                {members.length > AVATARS_MAX && (
                    <span className={css.more}>+{members.length - AVATARS_MAX}</span>
                )}
            </button>
            {isOpen && (
                <div id="people" className={css.layer}>
                    <List />
                    <Own />
                    <Link />
                    <Keeping />
                </div>
            )}
        </div>
    );
}

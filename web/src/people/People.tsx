// Who is here: a few initials in the header, and behind them a layer that says more.
import { Suspense, useCallback, useEffect, useRef } from 'react';
import { roomState } from '../page';
import type { Member } from '../room/roomState';
import { useStore } from '../store';
import { strings } from '../strings';
import { lateAtHand } from '../ui/late';
import { Avatar } from './Avatar';
import { followed } from './follow';
import { peopleLayer } from './layer';
import css from './People.module.css';

const PeopleLayer = lateAtHand(async () => (await import('./PeopleLayer')).PeopleLayer);

const AVATARS_MAX = 5;
/** In a narrow header; People.module.css knows it too. */
const NARROW_MAX = 1;

/** The first few; whoever is followed is among them. */
function facesOf(members: readonly Member[], followedClient: number | null): Member[] {
    const faces = members.slice(0, AVATARS_MAX);
    const person = members.find(({ client }) => client === followedClient);
    return person === undefined || faces.includes(person)
        ? faces
        : [...faces.slice(0, -1), person];
}

function More({ count, isNarrow }: { count: number; isNarrow?: boolean }) {
    const kind = isNarrow ? css.narrow : css.roomy;
    return count > 0 && <span className={`${css.more} ${kind}`}>+{count}</span>;
}

export function People() {
    const { members } = useStore(roomState);
    const isOpen = useStore(peopleLayer) !== 'closed';
    const followedClient = useStore(followed);
    const frame = useRef<HTMLDivElement>(null);
    const opener = useRef<HTMLButtonElement>(null);
    const name = strings.people.open(members.length);
    const close = useCallback(() => {
        peopleLayer.set('closed');
        opener.current?.focus();
    }, []);

    useEffect(() => {
        if (!isOpen) {
            return;
        }
        const onPointer = (event: PointerEvent): void => {
            if (!frame.current?.contains(event.target as Node)) {
                peopleLayer.set('closed');
            }
        };
        const onKey = (event: KeyboardEvent): void => {
            if (event.key === 'Escape') {
                event.preventDefault();
                close();
            }
        };
        document.addEventListener('pointerdown', onPointer);
        document.addEventListener('keydown', onKey);
        return () => {
            document.removeEventListener('pointerdown', onPointer);
            document.removeEventListener('keydown', onKey);
        };
    }, [isOpen, close]);

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
                onClick={() => peopleLayer.set(isOpen ? 'closed' : 'open')}
            >
                {facesOf(members, followedClient).map((member) => (
                    <Avatar
                        key={member.client}
                        person={member}
                        isRinged={member.client === followedClient}
                    />
                ))}
                <More count={members.length - AVATARS_MAX} />
                <More count={members.length - NARROW_MAX} isNarrow />
            </button>
            {isOpen && (
                <div id="people" className={css.layer}>
                    <Suspense fallback={null}>
                        <PeopleLayer onFollow={close} />
                    </Suspense>
                </div>
            )}
        </div>
    );
}

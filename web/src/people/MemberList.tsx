// Everybody who is here: where in the text they are, and whom to follow.
import { roomState } from '../page';
import type { Member } from '../room/roomState';
import { useStore } from '../store';
import { strings } from '../strings';
import { Avatar } from './Avatar';
import { cursors } from './cursors';
import { followed } from './follow';
import css from './PeopleLayer.module.css';

/** What is known of what somebody does, in a word or two. */
function whereabouts(member: Member, line: number | undefined): string {
    if (member.isIdle) {
        return strings.people.idle;
    }
    return line === undefined ? '' : strings.people.line(line);
}

function FollowButton({ member, onFollow }: { member: Member; onFollow(): void }) {
    const isFollowed = useStore(followed) === member.client;
    const { follow, stop, followName, stopName } = strings.people;
    return (
        <button
            type="button"
            className={css.follow}
            aria-label={(isFollowed ? stopName : followName)(member.name)}
            onClick={() => {
                followed.set(isFollowed ? null : member.client);
                onFollow();
            }}
        >
            {isFollowed ? stop : follow}
        </button>
    );
}

export function MemberList({ onFollow }: { onFollow(): void }) {
    const { members } = useStore(roomState);
    const places = useStore(cursors);
    return (
        <ul className={css.list} aria-label={strings.people.here}>
            {members.map((member) => (
                <li key={member.client} className={member.isIdle ? css.idle : undefined}>
                    <Avatar person={member} />
                    <span className={css.memberName}>
                        {member.isMe ? strings.people.me(member.name) : member.name}
                    </span>
                    <span className={css.whereabouts}>
                        {whereabouts(member, places?.get(member.client)?.line)}
                    </span>
                    {!member.isMe && places !== null && (
                        <FollowButton member={member} onFollow={onFollow} />
                    )}
                </li>
            ))}
        </ul>
    );
}

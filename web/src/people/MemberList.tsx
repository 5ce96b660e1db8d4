// Everybody who is here, and where in the text they are.
import { roomState } from '../page';
import type { Member } from '../room/roomState';
import { useStore } from '../store';
import { strings } from '../strings';
import { Avatar } from './Avatar';
import { cursors } from './cursors';
import css from './PeopleLayer.module.css';

/** What is known of what somebody does, in a word or two. */
function whereabouts(member: Member, line: number | undefined): string {
    if (member.isIdle) {
        return strings.people.idle;
    }
    return line === undefined ? '' : strings.people.line(line);
}

export function MemberList() {
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
                </li>
            ))}
        </ul>
    );
}

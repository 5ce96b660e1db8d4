// The bottom line: whether the room is there and stores what is typed, who is here, where the
// cursor is.
import { caret } from '../editor/control';
import { program, roomState, server, session } from '../page';
import type { Connection, RoomState } from '../room/roomState';
import { activeRun } from '../run/sessionState';
import { useStore } from '../store';
import { frameStrings as strings } from '../frameStrings';
import { ByteCount } from './ByteCount';
import css from './StatusBar.module.css';

type Word = keyof typeof strings.status & (Connection | 'unsaved' | 'saving' | 'back');

function wordOf({ connection, isBack, isFull, isSaved, isSaving }: RoomState): Word {
    if (connection !== 'live') {
        return connection;
    }
    if (!isSaved || isFull) {
        return 'unsaved';
    }
    if (isSaving) {
        return 'saving';
    }
    return isBack ? 'back' : 'live';
}

function ConnectionWord() {
    const word = wordOf(useStore(roomState));
    const runs = useStore(session.state);
    const isFollowing = runs.isLinked || activeRun(runs) === null;
    const isWell = (word === 'live' || word === 'back') && isFollowing;
    return (
        <span className={`${css.link} ${isWell ? css.ok : css.warning}`}>
            <span className={css.dot} aria-hidden="true" />
            {isFollowing ? strings.status[word] : strings.status.reconnecting}
        </span>
    );
}

function People() {
    const { connection, members } = useStore(roomState);
    return connection === 'live' ? (
        <span className={css.extra}>{strings.status.people(members.length)}</span>
    ) : null;
}

export function StatusBar() {
    const { bytes } = useStore(program);
    const { limits } = useStore(server.state);
    const { line, column, tabMovesFocus } = useStore(caret);
    return (
        <footer className={css.bar} aria-label={strings.app.status}>
            <ConnectionWord />
            <People />
            <span className={css.gap} />
            <ByteCount bytes={bytes} most={limits?.codeBytes ?? null} />
            <span>{strings.status.position(line, column)}</span>
            <span className={css.extra}>{strings.status.language}</span>
            <span className={css.extra}>{strings.status.tabMoves(tabMovesFocus)}</span>
        </footer>
    );
}

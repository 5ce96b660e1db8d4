// The bottom line: whether the room is there and stores what is typed, who is here, where the
// cursor is.
import { caret } from '../editor/control';
import { program, roomState, server, session } from '../page';
import { activeRun } from '../run/session';
import { useStore } from '../store';
import { strings } from '../strings';
import { ByteCount } from './ByteCount';
import css from './StatusBar.module.css';

function Connection() {
    const { connection, isSaved } = useStore(roomState);
    const runs = useStore(session.state);
    const isFollowing = runs.isLinked || activeRun(runs) === null;
    const isWell = connection === 'live' && isSaved && isFollowing;
    const room =
        connection === 'live' && !isSaved ? strings.status.unsaved : strings.status[connection];
    return (
        <span className={`${css.link} ${isWell ? css.ok : css.warning}`}>
            <span className={css.dot} aria-hidden="true" />
            {isFollowing ? room : strings.status.reconnecting}
        </span>
    );
}

function People() {
    const { connection, members } = useStore(roomState);
    return connection === 'live' ? (
        <span className={css.extra}>{strings.people.count(members.length)}</span>
    ) : null;
}

export function StatusBar() {
    const { bytes } = useStore(program);
    const { limits } = useStore(server.state);
    const { line, column, tabMovesFocus } = useStore(caret);
    return (
        <footer className={css.bar} aria-label={strings.app.status}>
            <Connection />
            <People />
            <span className={css.gap} />
            <ByteCount bytes={bytes} most={limits?.codeBytes ?? null} />
            <span>{strings.status.position(line, column)}</span>
            <span className={css.extra}>{strings.status.language}</span>
            <span className={css.extra}>{strings.status.tabMoves(tabMovesFocus)}</span>
        </footer>
    );
}

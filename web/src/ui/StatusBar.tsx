// The bottom line: whether the daemon is there, whether the text is kept, where the cursor is.
import { caret } from '../editor/control';
import { program, server, session } from '../page';
import { activeRun } from '../run/session';
import { useStore } from '../store';
import { strings } from '../strings';
import { ByteCount } from './ByteCount';
import css from './StatusBar.module.css';

const TONES = {
    connecting: css.warning,
    ready: css.ok,
    unready: css.warning,
    offline: css.warning,
};

function Connection() {
    const { link } = useStore(server.state);
    const runs = useStore(session.state);
    const isFollowing = runs.isLinked || activeRun(runs) === null;
    return (
        <span className={`${css.link} ${isFollowing ? TONES[link] : css.warning}`}>
            <span className={css.dot} aria-hidden="true" />
            {isFollowing ? strings.status[link] : strings.status.reconnecting}
        </span>
    );
}

function Kept() {
    const { isKept } = useStore(program.state);
    return isKept ? (
        <span className={css.extra}>{strings.status.saved}</span>
    ) : (
        <span className={css.warning}>{strings.status.unsaved}</span>
    );
}

export function StatusBar() {
    const { bytes } = useStore(program.state);
    const { limits } = useStore(server.state);
    const { line, column, tabMovesFocus } = useStore(caret);
    return (
        <footer className={css.bar} aria-label={strings.app.status}>
            <Connection />
            <Kept />
            <span className={css.gap} />
            <ByteCount bytes={bytes} most={limits?.codeBytes ?? null} />
            <span>{strings.status.position(line, column)}</span>
            <span className={css.extra}>{strings.status.language}</span>
            <span className={css.extra}>{strings.status.tabMoves(tabMovesFocus)}</span>
        </footer>
    );
}

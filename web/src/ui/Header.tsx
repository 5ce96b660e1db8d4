// The top of the page: what it is, the file and its menu, who is here, sharing, settings, Run.
import { Suspense } from 'react';
import { FileMenu } from '../file/FileMenu';
import { retry, roomState, run, server, session, stop } from '../page';
import { buttonMode, modeBeforeText } from '../run/buttonMode';
import { RunButton } from '../run/RunButton';
import { activeRun } from '../run/sessionState';
import { SettingsButton } from '../settings/SettingsButton';
import { ShareButton } from '../share/ShareButton';
import { useStore } from '../store';
import { frameStrings as strings } from '../frameStrings';
import { late } from './late';
import { useNow } from './useNow';
import css from './Header.module.css';

const People = late(async () => (await import('../work')).People);

function RunControl() {
    const state = useStore(session.state);
    const { link } = useStore(server.state);
    const { hasText, connection } = useStore(roomState);
    const isCounting = state.heldUntil > 0 || activeRun(state) !== null;
    const now = useNow(isCounting);
    return (
        <RunButton
            mode={hasText ? buttonMode(state, link, now) : modeBeforeText(connection)}
            onRun={run}
            onStop={stop}
            onRetry={retry}
        />
    );
}

export function Header() {
    return (
        <header className={css.header} data-region="header">
            <h1 className={css.name}>{strings.app.name}</h1>
            <span className={css.file}>{strings.app.file}</span>
            <FileMenu />
            <div className={css.tools}>
                <Suspense fallback={null}>
                    <People />
                </Suspense>
                <ShareButton />
                <SettingsButton />
                <RunControl />
            </div>
        </header>
    );
}

// The top of the page: what it is, the file and its menu, who is here, the colours, sharing, Run.
import { Monitor, Moon, Sun } from 'lucide-react';
import { Suspense } from 'react';
import { FileMenu } from '../file/FileMenu';
import { retry, roomState, run, server, session, stop } from '../page';
import { buttonMode, modeBeforeText } from '../run/buttonMode';
import { RunButton } from '../run/RunButton';
import { activeRun } from '../run/sessionState';
import { ShareButton } from '../share/ShareButton';
import { useStore } from '../store';
import { frameStrings as strings } from '../frameStrings';
import { late } from './late';
import { nextTheme, themeChoice } from './theme';
import { useNow } from './useNow';
import css from './Header.module.css';

const People = late(async () => (await import('../work')).People);

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon };

function ThemeSwitch() {
    const choice = useStore(themeChoice);
    const Icon = THEME_ICONS[choice];
    const name = strings.theme[choice];
    return (
        <button
            type="button"
            className={css.icon}
            aria-label={name}
            title={name}
            onClick={nextTheme}
        >
            <Icon size={17} aria-hidden="true" />
        </button>
    );
}

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
                <ThemeSwitch />
                <ShareButton />
                <RunControl />
            </div>
        </header>
    );
}

// The whole page: header, editor beside (or above, or in turn with) the console, status bar.
import { Suspense, useEffect } from 'react';
import { DialogPlace } from '../layers/DialogPlace';
import { roomState, session } from '../page';
import { WelcomePlace } from '../people/WelcomePlace';
import { useStore } from '../store';
import { frameStrings as strings } from '../frameStrings';
import { announcement } from './announcer';
import { Banner } from './Banner';
import { Header } from './Header';
import { late } from './late';
import { useLayout } from './layout';
import { goToEditor, showTab } from './panes';
import { StatusBar } from './StatusBar';
import { WorkPlace } from './WorkPlace';
import css from './App.module.css';

const PaneTabs = late(async () => (await import('../work')).PaneTabs);
const Welcome = late(async () => (await import('../work')).Welcome);
const WorkPane = late(async () => (await import('../work')).WorkPane);

/** A person who presses Run wants to see what happens: show the console. */
function useShowRuns(): void {
    useEffect(() => {
        let before = session.state.get();
        return session.state.subscribe(() => {
            const now = session.state.get();
            const isNews = now.refusal !== null && now.refusal !== before.refusal;
            if (isNews || (now.isSending && !before.isSending)) {
                showTab('console');
            }
            before = now;
        });
    }, []);
}

/** Events, and output only where it is asked for: see RunLog. */
function Announcer() {
    const runs = useStore(session.state);
    const room = useStore(roomState);
    const asked = useStore(announcement);
    return (
        <>
            <p className="visually-hidden" role="status">
                {runs.announcement}
            </p>
            <p className="visually-hidden" role="status">
                {room.announcement}
            </p>
            <p className="visually-hidden" role="status">
                {asked}
            </p>
        </>
    );
}

export function App() {
    const layout = useLayout();
    useShowRuns();

    return (
        <div className={css.page}>
            <a
                className={css.skip}
                href="#editor"
                onClick={(event) => {
                    event.preventDefault();
                    goToEditor();
                }}
            >
                {strings.app.skip}
            </a>
            <Header />
            <Banner />
            <Suspense fallback={<WelcomePlace />}>
                <Welcome />
            </Suspense>
            {layout === 'single' && (
                <nav className={css.panes} aria-label={strings.app.panes}>
                    <Suspense fallback={null}>
                        <PaneTabs />
                    </Suspense>
                </nav>
            )}
            <Suspense fallback={<WorkPlace />}>
                <WorkPane />
            </Suspense>
            <StatusBar />
            <Announcer />
            <DialogPlace />
        </div>
    );
}

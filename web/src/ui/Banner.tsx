// Says across the page what stands in the way, with the one thing that can be done about it.
import type { ReactNode } from 'react';
import { apiBase } from '../api/addresses';
import type { ServerState } from '../api/server';
import { retry, roomState, server } from '../page';
import type { RoomState } from '../room/roomState';
import { useStore } from '../store';
import { frameStrings as strings } from '../frameStrings';
import { isIncomplete } from './late';
import css from './Banner.module.css';

interface Notice {
    text: string;
    /** Said at once, even while something else is read out. */
    isUrgent: boolean;
    remedy: ReactNode;
}

function button(words: string, act: () => void): ReactNode {
    return (
        <button type="button" className={css.retry} onClick={act}>
            {words}
        </button>
    );
}

/** The worst of what is wrong; null: nothing is. */
function noticeOf(
    state: RoomState,
    { limits, link }: ServerState,
    isPartMissing: boolean,
): Notice | null {
    const { banner } = strings;
    const { connection, end, hasText, isFull, isKept, isSaved } = state;
    if (end === 'bad') {
        const remedy = (
            <a className={css.retry} href="/">
                {banner.newRoom}
            </a>
        );
        return { text: banner.bad, isUrgent: true, remedy };
    }
    const reload = button(banner.reload, () => location.reload());
    if (end !== null) {
        return { text: banner[end], isUrgent: true, remedy: reload };
    }
    if (isPartMissing) {
        return { text: banner.broken, isUrgent: true, remedy: reload };
    }
    const again = button(banner.retry, retry);
    // A browser does not tell a page whether it was turned down or not heard.
    if (link === 'offline' && limits === null && apiBase() !== '') {
        const text = banner.apart(apiBase(), location.origin);
        return { text, isUrgent: true, remedy: again };
    }
    if (connection === 'offline') {
        const kept = isKept ? banner.offlineKept : banner.offline;
        const text = hasText ? kept : banner.joining;
        return { text, isUrgent: true, remedy: again };
    }
    if (isFull) {
        return { text: banner.full, isUrgent: true, remedy: reload };
    }
    if (!isSaved) {
        return { text: banner.unsaved, isUrgent: false, remedy: null };
    }
    return link === 'unready' ? { text: banner.unready, isUrgent: true, remedy: again } : null;
}

export function Banner() {
    const notice = noticeOf(
        useStore(roomState),
        useStore(server.state),
        useStore(isIncomplete),
    );
    if (notice === null) {
        return null;
    }
    return (
        <div className={css.banner} role={notice.isUrgent ? 'alert' : 'status'}>
            <p>{notice.text}</p>
            {notice.remedy}
        </div>
    );
}

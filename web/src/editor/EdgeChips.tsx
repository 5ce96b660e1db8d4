// Who is above and below what the editor shows: a chip at the edge for each of the nearest few,
// and a press goes there.
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useCallback, useSyncExternalStore, type MouseEvent } from 'react';
import { roomState } from '../page';
import { tint } from '../people/Avatar';
import { cursors } from '../people/cursors';
import type { Member } from '../room/roomState';
import { useStore } from '../store';
import { strings } from '../strings';
import { monaco } from './monaco';
import css from './EdgeChips.module.css';

type View = monaco.editor.IStandaloneCodeEditor;

/** Chips at one edge. */
const CHIPS_MAX = 3;

interface Away {
    person: Member;
    line: number;
}

/** The first and the last line that the editor shows. */
function useLinesShown(view: View): [first: number, last: number] {
    const subscribe = useCallback(
        (listener: () => void) => {
            const parts = [
                view.onDidScrollChange(listener),
                view.onDidLayoutChange(listener),
                view.onDidChangeModelContent(listener),
            ];
            return () => parts.forEach((part) => part.dispose());
        },
        [view],
    );
    const shown = useSyncExternalStore(subscribe, () => {
        const ranges = view.getVisibleRanges();
        return `${ranges[0]?.startLineNumber ?? 1} ${ranges.at(-1)?.endLineNumber ?? Infinity}`;
    });
    const [first, last] = shown.split(' ').map(Number);
    return [first!, last!];
}

function Chip({ view, away, isAbove }: { view: View; away: Away; isAbove: boolean }) {
    const { person, line } = away;
    const Arrow = isAbove ? ArrowUp : ArrowDown;
    const words = strings.people.at(person.name, line);
    const onClick = ({ detail }: MouseEvent): void => {
        view.revealLineInCenter(line, monaco.editor.ScrollType.Immediate);
        // The chip goes. A keyboard that was on it needs another place; a phone needs no keyboard.
        if (detail === 0) {
            view.focus();
        }
    };
    return (
        <button
            type="button"
            className={css.chip}
            style={tint(person.colour)}
            title={strings.people.goTo(words)}
            onClick={onClick}
        >
            <Arrow size={14} aria-hidden="true" />
            <span>{words}</span>
        </button>
    );
}

function Edge({ view, all, isAbove }: { view: View; all: Away[]; isAbove: boolean }) {
    if (all.length === 0) {
        return null;
    }
    const nearest = [...all]
        .sort((a, b) => (isAbove ? b.line - a.line : a.line - b.line))
        .slice(0, CHIPS_MAX);
    return (
        <div
            className={`${css.edge} ${isAbove ? css.above : css.below}`}
            role="group"
            aria-label={isAbove ? strings.people.above : strings.people.below}
        >
            {nearest.map((away) => (
                <Chip key={away.person.client} view={view} away={away} isAbove={isAbove} />
            ))}
        </div>
    );
}

export function EdgeChips({ view }: { view: View }) {
    const places = useStore(cursors);
    const { members } = useStore(roomState);
    const [first, last] = useLinesShown(view);
    const away = members.flatMap((person): Away[] => {
        const place = person.isIdle ? undefined : places?.get(person.client);
        return place === undefined ? [] : [{ person, line: place.line }];
    });
    return (
        <>
            <Edge view={view} all={away.filter(({ line }) => line < first)} isAbove />
            <Edge view={view} all={away.filter(({ line }) => line > last)} isAbove={false} />
        </>
    );
}

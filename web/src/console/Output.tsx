// The lines of one run. Text nodes and pictures only, never HTML; a frame of main.py is a link to its
// line.
import {
    memo,
    Suspense,
    useCallback,
    useEffect,
    useState,
    useSyncExternalStore,
    type CSSProperties,
    type ReactNode,
} from 'react';
import { placeNow, program } from '../page';
import type { Stream } from '../api/types';
import { strings } from '../strings';
import { late } from '../ui/late';
import type { Line, Span } from './terminal';
import { rolesOf, type Role } from './trace';
import css from './Output.module.css';

/** Above this many lines, the browser lays out only the sheets that are in view. */
const PLAIN_MAX = 1000;
const SHEET_LINES = 200;

interface Props {
    lines: readonly Line[];
    /** Of the program that printed them. */
    codeHash: string;
    /** Lines to show at most; the newest are shown. */
    most: number;
    onJump(line: number): void;
}

const Plot = late(async () => (await import('./Plot')).Plot);

const DECORATIONS: Record<string, string | undefined> = {
    bold: css.bold,
    dim: css.dim,
    italic: css.italic,
    underline: css.underline,
    strikethrough: css.strike,
};

const VOICES: Record<Stream, string | undefined> = {
    stdout: '',
    stderr: css.stderr,
    stdin: css.stdin,
};

function isFree(colour: string | null): colour is string {
    return colour?.startsWith('rgb(') ?? false;
}

function looksOf({ style }: Span): { className: string; style?: CSSProperties } {
    const { colour, ground } = style;
    const names = style.decorations.map((name) => DECORATIONS[name]);
    const own: Record<string, string> = {};
    if (isFree(colour)) {
        own['--free'] = colour;
        names.push(css.free);
    } else if (colour) {
        names.push(css[`ansi-${colour}`]);
    }
    if (isFree(ground)) {
        own['--free'] = ground;
        names.push(css.freeGround);
    } else if (ground) {
        names.push(css[`ground-${ground}`], css.ground);
    }
    return { className: names.filter(Boolean).join(' '), style: own };
}

function isPlain({ style }: Span): boolean {
    return style.colour === null && style.ground === null && style.decorations.length === 0;
}

function spanOf(span: Span, at: number): ReactNode {
    const voice = VOICES[span.style.stream];
    if (span.style.picture) {
        return (
            <Suspense key={at} fallback={null}>
                <Plot picture={span.style.picture} />
            </Suspense>
        );
    }
    if (isPlain(span) && voice === '') {
        return span.text;
    }
    const { className, style } = looksOf(span);
    return (
        <span key={at} className={`${voice} ${className}`} style={style}>
            {span.text}
        </span>
    );
}

/** A line of the program, wherever it is now. */
function FrameLink({ codeHash, line, onJump }: { codeHash: string; line: number } & Jump) {
    const now = useCallback(() => {
        const place = placeNow(codeHash, line);
        return place.isEdited ? -place.line : place.line;
    }, [codeHash, line]);
    const place = useSyncExternalStore(program.subscribe, now);
    return (
        <button type="button" className={css.jump} onClick={() => onJump(Math.abs(place))}>
            {place < 0 ? strings.console.editedFrame(-place) : strings.console.frame(place)}
        </button>
    );
}

interface Jump {
    onJump(line: number): void;
}

interface RowProps extends Jump {
    line: Line;
    role: Role;
    codeHash: string;
}

function isSameRow(a: RowProps, b: RowProps): boolean {
    return (
        a.line === b.line &&
        a.role.kind === b.role.kind &&
        a.codeHash === b.codeHash &&
        a.onJump === b.onJump
    );
}

const Row = memo(function Row({ line, role, codeHash, onJump }: RowProps) {
    if (role.kind === 'frame') {
        return (
            <div className={`${css.line} ${css.stderr}`}>
                {role.indent}
                <FrameLink codeHash={codeHash} line={role.line} onJump={onJump} />
                {role.rest}
            </div>
        );
    }
    const look = { plain: '', foreign: css.foreign, error: css.lastWords }[role.kind];
    return <div className={`${css.line} ${look}`}>{line.map(spanOf)}</div>;
}, isSameRow);

interface SheetProps extends Jump {
    lines: readonly Line[];
    roles: readonly Role[];
    codeHash: string;
    isLong: boolean;
}

function isSameSheet(a: SheetProps, b: SheetProps): boolean {
    return (
        a.isLong === b.isLong &&
        a.codeHash === b.codeHash &&
        a.onJump === b.onJump &&
        a.lines.length === b.lines.length &&
        a.lines.every((line, at) => line === b.lines[at])
    );
}

/** Some lines that are drawn again together: those before the last ones of a run do not change. */
const Sheet = memo(function Sheet({ lines, roles, codeHash, isLong, onJump }: SheetProps) {
    const rows = lines.map((line, at) => (
        <Row key={at} line={line} role={roles[at]!} codeHash={codeHash} onJump={onJump} />
    ));
    return <div className={isLong ? css.sheet : undefined}>{foldForeign(rows, roles)}</div>;
}, isSameSheet);

/** Rows that point into libraries are folded: what people look for is in their own lines. */
function foldForeign(rows: readonly ReactNode[], roles: readonly Role[]): ReactNode[] {
    const shown: ReactNode[] = [];
    for (let at = 0; at < rows.length; at++) {
        const from = at;
        let frames = 0;
        for (let role = roles[at]; role?.kind === 'foreign'; role = roles[++at]) {
            frames += role.isFrame ? 1 : 0;
        }
        if (frames > 0) {
            shown.push(
                <details key={`folded-${from}`} className={css.fold}>
                    <summary>{strings.console.foreignFrames(frames)}</summary>
                    {rows.slice(from, at)}
                </details>,
            );
        } else {
            shown.push(...rows.slice(from, at));
        }
        if (at < rows.length) {
            shown.push(rows[at]);
        }
    }
    return shown;
}

/**
 * Where drawing begins, from the first sheet (an index of lines) to the last: much that comes at once
 * is drawn from its end, where the reader is, and what is above follows sheet by sheet, so that no
 * frame takes long.
 */
function useFirstDrawn(first: number, count: number): number {
    const [drawn, setDrawn] = useState({ from: 0, count: 0 });
    const last = Math.max(first, Math.floor(count / SHEET_LINES - 1) * SHEET_LINES);
    const isMuch = count - drawn.count > 2 * SHEET_LINES;
    const from = Math.max(first, isMuch ? last : Math.min(drawn.from, last));
    useEffect(() => {
        const next = Math.max(first, from - SHEET_LINES);
        const frame = requestAnimationFrame(() =>
            setDrawn((now) =>
                now.from === next && now.count === count ? now : { from: next, count },
            ),
        );
        return () => cancelAnimationFrame(frame);
    }, [first, from, count]);
    return from;
}

export function Output({ lines, codeHash, most, onJump }: Props) {
    const hidden = Math.max(0, lines.length - most);
    // Whole sheets are left out, so that those which stay are the same as before.
    const first = Math.ceil(hidden / SHEET_LINES) * SHEET_LINES;
    const from = useFirstDrawn(first, lines.length);
    const roles = rolesOf(lines.slice(first));
    const isLong = lines.length > PLAIN_MAX;
    const sheets: ReactNode[] = [];
    for (let at = from; at < lines.length; at += SHEET_LINES) {
        sheets.push(
            <Sheet
                key={at}
                lines={lines.slice(at, at + SHEET_LINES)}
                roles={roles.slice(at - first, at - first + SHEET_LINES)}
                codeHash={codeHash}
                isLong={isLong}
                onJump={onJump}
            />,
        );
    }
    return (
        <div className={css.output}>
            {first > 0 && <p className={css.hidden}>{strings.console.hidden(first)}</p>}
            {sheets}
        </div>
    );
}

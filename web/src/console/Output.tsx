// The lines of one run. Text nodes only, never HTML; a frame of main.py is a link to its line.
import { memo, type CSSProperties, type ReactNode } from 'react';
import { strings } from '../strings';
import type { Line, Span } from './terminal';
import { rolesOf, type Role } from './trace';
import css from './Output.module.css';

/** Above this many lines, the browser lays out only the sheets that are in view. */
const PLAIN_MAX = 1000;
const SHEET_LINES = 200;

interface Props {
    lines: readonly Line[];
    /** Lines to show at most; the newest are shown. */
    most: number;
    onJump(line: number): void;
}

const DECORATIONS: Record<string, string | undefined> = {
    bold: css.bold,
    dim: css.dim,
    italic: css.italic,
    underline: css.underline,
    strikethrough: css.strike,
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
    const isError = span.style.stream === 'stderr';
    if (isPlain(span) && !isError) {
        return span.text;
    }
    const { className, style } = looksOf(span);
    return (
        <span key={at} className={`${isError ? css.stderr : ''} ${className}`} style={style}>
            {span.text}
        </span>
    );
}

interface RowProps {
    line: Line;
    role: Role;
    onJump(line: number): void;
}

function isSameRow(a: RowProps, b: RowProps): boolean {
    return a.line === b.line && a.role.kind === b.role.kind && a.onJump === b.onJump;
}

const Row = memo(function Row({ line, role, onJump }: RowProps) {
    if (role.kind === 'frame') {
        return (
            <div className={`${css.line} ${css.stderr}`}>
                {role.indent}
                <button type="button" className={css.jump} onClick={() => onJump(role.line)}>
                    {strings.console.frame(role.line)}
                </button>
                {role.rest}
            </div>
        );
    }
    const look = { plain: '', foreign: css.foreign, error: css.lastWords }[role.kind];
    return <div className={`${css.line} ${look}`}>{line.map(spanOf)}</div>;
}, isSameRow);

export function Output({ lines, most, onJump }: Props) {
    const roles = rolesOf(lines);
    const first = Math.max(0, lines.length - most);
    const rows = lines.map((line, at) => (
        <Row key={at} line={line} role={roles[at]!} onJump={onJump} />
    ));
    const sheets: ReactNode[] = [];
    for (let at = first; at < rows.length; at += SHEET_LINES) {
        const name = lines.length > PLAIN_MAX ? css.sheet : undefined;
        sheets.push(
            <div key={at} className={name}>
                {rows.slice(at, at + SHEET_LINES)}
            </div>,
        );
    }
    return (
        <div className={css.output}>
            {first > 0 && <p className={css.hidden}>{strings.console.hidden(first)}</p>}
            {sheets}
        </div>
    );
}

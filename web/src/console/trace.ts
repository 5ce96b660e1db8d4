// Reads Python's tracebacks: which lines point into the program, which into a library, which one
// names the error. The daemon runs the program as /tmp/main.py; people know it as main.py.
import { strings } from '../strings';
import type { Line } from './terminal';

const FRAME = /^(\s*)File "([^"]+)", line (\d+)(.*)$/;
const OURS = '/tmp/main.py';
const HEADING = 'Traceback (most recent call last):';
/** "NameError: ...", "mypackage.Broken: ...", or "KeyboardInterrupt" alone. */
const ERROR = /^[A-Za-z_][\w.]*(:|$)/;

export type Role =
    | { kind: 'plain' }
    | { kind: 'frame'; indent: string; line: number; rest: string }
    | { kind: 'foreign'; isFrame: boolean }
    | { kind: 'error' };

export interface Failure {
    /** In main.py, 1 = first. */
    line: number;
    /** The part of the line that Python points at, counted from its first letter; null = all. */
    part: { from: number; to: number } | null;
    /** "NameError: name 'x' is not defined" */
    message: string;
}

/** Python shows the line indented by four, and points at its part below. */
const SHOWN_INDENT = 4;
const POINTER = /^ {4,}([~^]+)$/;

const PLAIN: Role = { kind: 'plain' };
const FOREIGN: Role = { kind: 'foreign', isFrame: false };
const FOREIGN_FRAME: Role = { kind: 'foreign', isFrame: true };
const ERROR_ROLE: Role = { kind: 'error' };

export function textOf(line: Line): string {
    return line
        .map(({ text, style }) => (style.picture ? strings.console.picture : text))
        .join('');
}

function isStderr(line: Line): boolean {
    return line.length > 0 && line.every((span) => span.style.stream === 'stderr');
}

/** One role for each line. */
export function rolesOf(lines: readonly Line[]): Role[] {
    let state: 'outside' | 'ours' | 'foreign' = 'outside';
    return lines.map((line) => {
        if (!isStderr(line)) {
            return PLAIN;
        }
        const text = textOf(line);
        const frame = FRAME.exec(text);
        if (frame) {
            const [, indent = '', file, number, rest = ''] = frame;
            state = file === OURS ? 'ours' : 'foreign';
            return file === OURS
                ? { kind: 'frame', indent, line: Number(number), rest }
                : FOREIGN_FRAME;
        }
        if (state !== 'outside' && text !== HEADING && ERROR.test(text)) {
            state = 'outside';
            return ERROR_ROLE;
        }
        return state === 'foreign' && text.startsWith(' ') ? FOREIGN : PLAIN;
    });
}

function pointedAt(pointer: Line | undefined): Failure['part'] {
    const text = pointer ? textOf(pointer) : '';
    const marks = POINTER.exec(text)?.[1];
    if (marks === undefined) {
        return null;
    }
    const from = text.length - marks.length - SHOWN_INDENT;
    return { from, to: from + marks.length };
}

/** The innermost line of the program in the last traceback, with the error that ended it. */
export function failureOf(lines: readonly Line[]): Failure | null {
    const roles = rolesOf(lines);
    const last = roles.findLastIndex((role) => role.kind === 'error');
    for (let at = last - 1; at >= 0; at--) {
        const role = roles[at]!;
        if (role.kind === 'frame') {
            const part = pointedAt(lines[at + 2]);
            return { line: role.line, part, message: textOf(lines[last]!) };
        }
        if (role.kind === 'error') {
            return null;
        }
    }
    return null;
}

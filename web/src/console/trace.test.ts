import { describe, expect, it } from 'vitest';
import type { PrintedStream } from '../api/types';
import { Terminal, type Line } from './terminal';
import { failureOf, rolesOf } from './trace';

function linesOf(text: string, stream: PrintedStream = 'stderr'): readonly Line[] {
    const terminal = new Terminal();
    terminal.write(stream, text);
    return terminal.snapshot();
}

const NESTED = `Traceback (most recent call last):
  File "/tmp/main.py", line 10, in <module>
    print(load("x"))
          ^^^^^^^^^
  File "/tmp/main.py", line 7, in load
    return json.loads(text)
  File "/usr/lib/python3.12/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)
`;

describe('rolesOf', () => {
    it('tells our frames, foreign frames and the error apart', () => {
        expect(rolesOf(linesOf(NESTED)).map((role) => role.kind)).toEqual([
            'plain',
            'frame',
            'plain',
            'plain',
            'frame',
            'plain',
            'foreign',
            'foreign',
            'foreign',
            'error',
        ]);
    });

    it('reads line, indent and the rest of a frame', () => {
        expect(rolesOf(linesOf('  File "/tmp/main.py", line 12, in f\n'))).toEqual([
            { kind: 'frame', indent: '  ', line: 12, rest: ', in f' },
        ]);
    });

    it('leaves look-alikes on stdout alone', () => {
        const kinds = rolesOf(linesOf(NESTED, 'stdout')).map((role) => role.kind);
        expect(new Set(kinds)).toEqual(new Set(['plain']));
    });
});

describe('failureOf', () => {
    it('finds the innermost line of the program', () => {
        expect(failureOf(linesOf(NESTED))).toEqual({
            line: 7,
            part: null,
            message: 'json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)',
        });
    });

    it('reads a syntax error, which has no heading', () => {
        const text = '  File "/tmp/main.py", line 3\n    x = (\n        ^\nSyntaxError: no\n';
        expect(failureOf(linesOf(text))).toEqual({
            line: 3,
            part: { from: 4, to: 5 },
            message: 'SyntaxError: no',
        });
    });

    it('takes the last of chained errors', () => {
        const chained =
            'Traceback (most recent call last):\n  File "/tmp/main.py", line 2, in <module>\n' +
            'KeyError: 1\n\nDuring handling of the above exception, another exception ' +
            'occurred:\n\nTraceback (most recent call last):\n' +
            '  File "/tmp/main.py", line 4, in <module>\nValueError: second\n';
        expect(failureOf(linesOf(chained))).toEqual({
            line: 4,
            part: null,
            message: 'ValueError: second',
        });
    });

    it('finds nothing in ordinary errors', () => {
        expect(failureOf(linesOf('warning: careful\n'))).toBeNull();
        expect(failureOf([])).toBeNull();
    });
});

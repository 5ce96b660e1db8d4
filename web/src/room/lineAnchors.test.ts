import { beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { LineAnchors } from './lineAnchors';

const CODE = 'import math\nprint(1)\nprint(x)\n';
let text: Y.Text;
let anchors: LineAnchors;

beforeEach(() => {
    text = new Y.Doc().getText('monaco');
    text.insert(0, CODE);
    anchors = new LineAnchors(text);
    anchors.remember('h');
});

describe('LineAnchors', () => {
    it('finds a line where it was', () => {
        expect(anchors.find('h', 3)).toEqual({ line: 3, isEdited: false });
        expect(anchors.has('h')).toBe(true);
    });

    it('follows a line when others are written or taken away above it', () => {
        text.insert(0, '# one\n# two\n# three\n');
        expect(anchors.find('h', 3)).toEqual({ line: 6, isEdited: false });
        text.delete(0, text.toString().indexOf('print(1)'));
        expect(anchors.find('h', 3)).toEqual({ line: 2, isEdited: false });
    });

    it('follows a line that others write right before', () => {
        text.insert(CODE.indexOf('print(x)'), 'y = 2\n');
        expect(anchors.find('h', 3)).toEqual({ line: 4, isEdited: false });
    });

    it('says when the line was edited', () => {
        text.insert(CODE.indexOf('x)'), 'the_');
        expect(anchors.find('h', 3)).toEqual({ line: 3, isEdited: true });
    });

    it('points to where a line was that is gone', () => {
        text.delete(CODE.indexOf('print(x)'), 'print(x)\n'.length);
        expect(anchors.find('h', 3)).toEqual({ line: 3, isEdited: true });
        text.delete(0, text.length);
        expect(anchors.find('h', 3)).toEqual({ line: 1, isEdited: true });
    });

    it('does not know other programs, nor lines that a program does not have', () => {
        expect(anchors.find('other', 1)).toBeNull();
        expect(anchors.find('h', 9)).toBeNull();
        expect(anchors.find('h', 0)).toBeNull();
    });

    it('forgets the oldest', () => {
        for (let n = 0; n < 20; n++) {
            anchors.remember(`later ${n}`);
        }
        expect(anchors.has('h')).toBe(false);
        expect(anchors.find('later 0', 1)).not.toBeNull();
    });
});

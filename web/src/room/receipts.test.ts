// The daemon is played by a second document: it answers with what the asker lacks.
import { beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { Receipts } from './receipts';

let mine: Y.Doc;
let theirs: Y.Doc;
let receipts: Receipts;

function type(text: string): void {
    mine.getText('monaco').insert(0, text);
    receipts.changed();
}

function deliver(): void {
    Y.applyUpdate(theirs, Y.encodeStateAsUpdate(mine));
}

function connect(): void {
    receipts.told(Y.encodeStateVector(theirs));
}

/** A question and its answer, with what happens on the way. */
function ask(onTheWay?: () => void): boolean | null {
    const vector = receipts.ask();
    const answer = Y.encodeStateAsUpdate(theirs, vector);
    onTheWay?.();
    return receipts.answered(answer);
}

beforeEach(() => {
    mine = new Y.Doc();
    theirs = new Y.Doc();
    receipts = new Receipts(mine);
});

describe('Receipts', () => {
    it('owes nothing before anything is typed', () => {
        connect();
        expect(receipts.isOwing).toBe(false);
        expect(ask()).toBe(true);
    });

    it('has a receipt when the daemon has it, not before', () => {
        connect();
        type('a😀');
        expect(receipts.isOwing).toBe(true);
        expect(ask()).toBe(false);
        expect(receipts.isOwing).toBe(true);
        deliver();
        expect(ask()).toBe(true);
        expect(receipts.isOwing).toBe(false);
    });

    it('sees that only a part has come', () => {
        connect();
        type('first');
        deliver();
        type('second');
        expect(ask()).toBe(false);
        expect(receipts.isOwing).toBe(true);
    });

    it('goes on owing what was typed after the question', () => {
        connect();
        type('a');
        deliver();
        expect(ask(() => type('b'))).toBe(true);
        expect(receipts.isOwing).toBe(true);
        deliver();
        expect(ask()).toBe(true);
        expect(receipts.isOwing).toBe(false);
    });

    it('takes a question that is answered for the receipt of a deletion', () => {
        mine.getText('monaco').insert(0, 'abc');
        deliver();
        connect();
        mine.getText('monaco').delete(0, 1);
        receipts.changed();
        expect(receipts.isOwing).toBe(true);
        expect(ask()).toBe(true);
        expect(receipts.isOwing).toBe(false);
    });

    it('owes what another page of this browser has typed and never sent', () => {
        const before = new Y.Doc();
        before.getText('monaco').insert(0, 'kept');
        Y.applyUpdate(mine, Y.encodeStateAsUpdate(before));
        connect();
        expect(receipts.isOwing).toBe(true);
        expect(ask()).toBe(false);
        deliver();
        expect(ask()).toBe(true);
        expect(receipts.isOwing).toBe(false);
    });

    it('takes no answer for another, and none of a connection that is gone', () => {
        expect(receipts.answered(Y.encodeStateAsUpdate(theirs))).toBeNull();
        type('a');
        receipts.ask();
        receipts.hangUp();
        deliver();
        expect(receipts.answered(Y.encodeStateAsUpdate(theirs))).toBeNull();
        expect(receipts.isOwing).toBe(true);
    });
});

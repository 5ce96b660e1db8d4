import { describe, expect, it } from 'vitest';
import { readRoomFrame } from './roomFrame';

const START = { jobId: 'j', by: 'Ada', at: 5, codeHash: 'cbf29ce484222325' };
const PIECE = { stream: 'stdout', text: 'hi', offset: 0 };
const STATUS = { jobId: 'j', status: 'completed' };

describe('readRoomFrame', () => {
    it.each([
        { saved: false },
        { saved: true },
        { refused: 'room_full' },
        { run: 'start', ...START },
        { run: 'start', ...START, by: null },
        { run: 'output', jobId: 'j', ...PIECE },
        { run: 'end', jobId: 'j', status: STATUS },
        { run: 'history', runs: [] },
        { run: 'output', jobId: 'j', stream: 'stdin', by: 'Ada', text: '1\n', offset: 2 },
        { run: 'state', jobId: 'j', state: { status: 'queued', position: 2 } },
        { run: 'state', jobId: 'j', state: { status: 'running', position: null } },
    ])('takes %j', (frame) => {
        expect(readRoomFrame(JSON.stringify(frame))).toEqual(frame);
    });

    it.each([
        '',
        'no JSON',
        '[]',
        'null',
        '"saved"',
        '{}',
        '{"saved":1}',
        '{"run":"start"}',
        '{"run":"start","jobId":"j","at":"now"}',
        '{"run":"output","jobId":"j","stream":"log","text":"x","offset":0}',
        '{"run":"state","jobId":"j","state":{"status":"completed"}}',
        '{"run":"waiting"}',
        '{"run":"output","jobId":"j","stream":"stdout","text":7,"offset":0}',
        '{"run":"output","jobId":"j","stream":"stdout","text":"x","offset":-1}',
        '{"run":"output","stream":"stdout","text":"x","offset":0}',
        '{"run":"end","jobId":"j"}',
        '{"run":"history","runs":{}}',
        '{"run":"later","jobId":"j"}',
    ])('leaves out %s', (text) => {
        expect(readRoomFrame(text)).toBeNull();
    });

    it('knows who waits for input', () => {
        const said = (text: string) => readRoomFrame(`{"run":"waiting","jobId":"j"${text}}`);
        expect(said(',"waiting":true')).toEqual({
            run: 'waiting',
            jobId: 'j',
            isWaiting: true,
        });
        expect(said('')).toEqual({ run: 'waiting', jobId: 'j', isWaiting: false });
    });

    it('reads a history', () => {
        const state = { status: 'queued', position: 1 };
        const runs = [
            { ...START, output: [PIECE], status: STATUS },
            { ...START, output: [], status: null, waiting: true, state },
        ];
        expect(readRoomFrame(JSON.stringify({ run: 'history', runs }))).toEqual({
            run: 'history',
            runs: [
                { ...START, output: [PIECE], status: STATUS, isWaiting: false, state: null },
                { ...START, output: [], status: null, isWaiting: true, state },
            ],
        });
    });

    it('keeps what is good of a history', () => {
        const runs = [7, { ...START, output: [PIECE, { ...PIECE, text: 1 }, null], status: 3 }];
        expect(readRoomFrame(JSON.stringify({ run: 'history', runs }))).toEqual({
            run: 'history',
            runs: [{ ...START, output: [PIECE], status: null, isWaiting: false, state: null }],
        });
    });
});

// @vitest-environment jsdom
// Following a job, with the browser's EventSource and fetch played by the test.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { follow, type Listener } from './follow';

class FakeSource {
    static readonly CLOSED = 2;
    static all: FakeSource[] = [];
    readyState = 1;
    onopen: (() => void) | null = null;
    onerror: (() => void) | null = null;
    private readonly handlers = new Map<string, (event: { data: string }) => void>();

    constructor(readonly url: string) {
        FakeSource.all.push(this);
    }

    addEventListener(name: string, handle: (event: { data: string }) => void): void {
        this.handlers.set(name, handle);
    }

    close(): void {
        this.readyState = FakeSource.CLOSED;
    }

    send(name: string, data: unknown): void {
        this.handlers.get(name)?.({ data: JSON.stringify(data) });
    }

    /** What a browser does when the answer is not an event stream. */
    refuse(): void {
        this.close();
        this.onerror?.();
    }
}

const END = { jobId: 'j', status: 'completed', stdout: 'out', stderr: 'err' };
let events: unknown[][];
let listener: Listener;

function answer(status: number, body: unknown): void {
    const respond = () => Promise.resolve(new Response(JSON.stringify(body), { status }));
    vi.stubGlobal('fetch', vi.fn(respond));
}

beforeEach(() => {
    vi.useFakeTimers();
    FakeSource.all = [];
    vi.stubGlobal('EventSource', FakeSource);
    events = [];
    const record =
        (name: string) =>
        (...data: unknown[]): void =>
            void events.push([name, ...data]);
    listener = {
        onStatus: record('status'),
        onOutput: record('output'),
        onWaiting: record('waiting'),
        onReset: record('reset'),
        onEnd: record('end'),
        onLost: record('lost'),
        onLink: record('link'),
    };
});

afterEach(() => {
    document.head.innerHTML = '';
    vi.useRealTimers();
    vi.unstubAllGlobals();
});

describe('follow', () => {
    it('passes events on and closes at the end', () => {
        follow('j', listener);
        const [source] = FakeSource.all;
        expect(source?.url).toBe('/api/jobs/j/events');
        source?.onopen?.();
        source?.send('status', { status: 'running' });
        source?.send('output', { stream: 'stdout', text: 'hi' });
        source?.send('end', END);
        source?.send('output', { stream: 'stdout', text: 'late' });
        expect(events).toEqual([
            ['link', true],
            ['status', { status: 'running' }],
            ['output', { stream: 'stdout', text: 'hi' }],
            ['end', END],
        ]);
        expect(source?.readyState).toBe(FakeSource.CLOSED);
    });

    it('asks the daemon that index.html names', async () => {
        document.head.innerHTML = '<meta name="vve-api" content="https://a">';
        answer(200, END);
        follow('j', listener);
        const [source] = FakeSource.all;
        expect(source?.url).toBe('https://a/api/jobs/j/events');
        source?.refuse();
        await vi.waitFor(() => expect(events).toContainEqual(['end', END]));
        expect(fetch).toHaveBeenCalledWith('https://a/api/status/j', expect.anything());
    });

    it('leaves a dropped stream to the browser', () => {
        follow('j', listener);
        const [source] = FakeSource.all;
        source!.readyState = 0;
        source?.onerror?.();
        source?.onopen?.();
        expect(events).toEqual([
            ['link', false],
            ['link', true],
        ]);
        expect(FakeSource.all).toHaveLength(1);
    });

    it('is lost when the daemon knows neither stream nor status', async () => {
        answer(404, { error: { code: 'not_found', message: 'Unknown.' } });
        follow('j', listener);
        FakeSource.all[0]?.refuse();
        await vi.runAllTimersAsync();
        expect(events).toEqual([['lost']]);
    });

    it('tells an end that it missed from the status', async () => {
        answer(200, END);
        follow('j', listener);
        FakeSource.all[0]?.refuse();
        await vi.runAllTimersAsync();
        expect(events).toEqual([
            ['reset'],
            ['output', { stream: 'stdout', text: 'out' }],
            ['output', { stream: 'stderr', text: 'err' }],
            ['end', END],
        ]);
    });

    it('opens a new stream while the run goes on, and clears what was shown', async () => {
        answer(200, { jobId: 'j', status: 'running' });
        const stop = follow('j', listener);
        FakeSource.all[0]?.refuse();
        await vi.advanceTimersByTimeAsync(1_000);
        expect(FakeSource.all).toHaveLength(2);
        FakeSource.all[1]?.onopen?.();
        expect(events).toEqual([['link', false], ['reset'], ['link', true]]);
        stop();
        expect(FakeSource.all[1]?.readyState).toBe(FakeSource.CLOSED);
    });
});

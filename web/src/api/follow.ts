// Follows one job to its end over server-sent events.
//
// A dropped stream is taken up again by the browser itself, with Last-Event-ID. A stream that
// the daemon refuses (unknown job, too many readers) is closed for good; then the status says
// what happened: the end, a job nobody knows any more, or a reason to open a new stream. A new
// stream tells the whole run again, so what was shown of it is cleared first.
import { apiBase } from './addresses';
import * as client from './client';
import { Refusal } from './client';
import { isEnd, type JobStatus, type OutputEvent } from './types';

const REOPEN_MS = 1_000;

export interface Listener {
    onStatus(status: JobStatus): void;
    onOutput(output: OutputEvent): void;
    /** It waits for input, or does not any more. */
    onWaiting(waits: boolean): void;
    /** What was shown of this run is void: it starts again, or is told again. */
    onReset(): void;
    onEnd(status: JobStatus): void;
    /** The daemon does not know this job any more. */
    onLost(): void;
    /** The stream dropped (false) or is there again (true). */
    onLink(isUp: boolean): void;
}

/** Returns a function that stops following; it does not cancel the job. */
export function follow(jobId: string, listener: Listener): () => void {
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isDone = false;

    function stop(): void {
        isDone = true;
        clearTimeout(timer);
        source?.close();
    }

    function end(status: JobStatus): void {
        stop();
        listener.onEnd(status);
    }

    function reopenLater(): void {
        listener.onLink(false);
        timer = setTimeout(() => open(true), REOPEN_MS);
    }

    function tellFromStatus(status: JobStatus): void {
        listener.onReset();
        listener.onOutput({ stream: 'stdout', text: status.stdout ?? '' });
        listener.onOutput({ stream: 'stderr', text: status.stderr ?? '' });
        end(status);
    }

    async function ask(): Promise<void> {
        try {
            const status = await client.status(jobId);
            if (isDone) {
                return;
            }
            if (isEnd(status)) {
                tellFromStatus(status);
            } else {
                reopenLater();
            }
        } catch (error) {
            if (isDone) {
                return;
            }
            if (error instanceof Refusal && error.status === 404) {
                stop();
                listener.onLost();
            } else {
                reopenLater();
            }
        }
    }

    function open(isAgain: boolean): void {
        const stream = new EventSource(`${apiBase()}/api/jobs/${jobId}/events`);
        source = stream;
        let isFresh = isAgain;
        stream.onopen = () => {
            if (isFresh) {
                isFresh = false;
                listener.onReset();
            }
            listener.onLink(true);
        };
        stream.onerror = () => {
            if (stream.readyState === EventSource.CLOSED) {
                void ask();
            } else {
                listener.onLink(false);
            }
        };
        const on = <T>(name: string, handle: (data: T) => void): void => {
            stream.addEventListener(name, (event) => {
                if (!isDone) {
                    handle(JSON.parse((event as MessageEvent<string>).data) as T);
                }
            });
        };
        on<JobStatus>('status', (status) => listener.onStatus(status));
        on<OutputEvent>('output', (output) => listener.onOutput(output));
        on<Omit<OutputEvent, 'stream'>>('input', (input) => {
            listener.onOutput({ ...input, stream: 'stdin' });
            listener.onWaiting(false);
        });
        on('waiting', () => listener.onWaiting(true));
        on('resumed', () => listener.onWaiting(false));
        stream.addEventListener('reset', () => listener.onReset());
        on<JobStatus>('end', end);
    }

    open(false);
    return stop;
}

// The parts of the page, made once and wired together: the daemon, the two texts, the runs.
import * as client from './api/client';
import { follow } from './api/follow';
import { Server } from './api/server';
import { downloadText } from './editor/download';
import { TextFile } from './editor/textFile';
import { Session, type Remembered } from './run/session';
import { keep, recall, tabArea } from './storage';
import { strings } from './strings';

const LAST_RUN = 'run';

export const server = new Server();
export const program = new TextFile('code', strings.sample);
export const input = new TextFile('input', '');

export const session = new Session({
    execute: client.execute,
    cancel: client.cancel,
    follow,
    limits: () => server.state.get().limits,
    now: Date.now,
    nextFrame: (callback) => {
        requestAnimationFrame(callback);
    },
    remember: (run) => {
        keep(LAST_RUN, run && JSON.stringify(run), tabArea());
    },
    onTrouble: () => void server.check(),
});

export function run(): void {
    const stdin = input.state.get().text;
    const code = program.state.get().text;
    void session.run(stdin === '' ? { code } : { code, stdin });
}

export function stop(): void {
    void session.stop();
}

export function download(): void {
    downloadText(strings.app.file, program.state.get().text);
}

/** Shows the last run of this tab again after a reload, also while it goes on. */
export function resumeLastRun(): void {
    const kept = recall(LAST_RUN, tabArea());
    if (kept !== null) {
        session.resume(JSON.parse(kept) as Remembered);
    }
}

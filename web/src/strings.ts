// Every word the page says, in one place but for two: those of the first paint are in frameStrings.ts,
// those of menus and dialogs in layerStrings.ts. Numbers come from the daemon, never from here.
import type { Limits } from './api/types';
import { count, frameStrings } from './frameStrings';

export { count };

/** 5120 -> "5 KB", 1258291 -> "1.2 MB"; in steps of 1024, as the limits are. */
export function size(bytes: number): string {
    const units = ['bytes', 'KB', 'MB', 'GB'];
    let value = bytes;
    let unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
        value /= 1024;
        unit += 1;
    }
    const digits = unit > 0 && value < 10 ? 1 : 0;
    return `${Number(value.toFixed(digits))} ${units[unit]}`;
}

export function seconds(ms: number): string {
    const value = ms / 1000;
    const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
    return `${value.toFixed(digits)} s`;
}

/** 5000 -> "5 s" */
export function limitSeconds(ms: number): string {
    return `${Number((ms / 1000).toFixed(1))} s`;
}

export function clock(at: number): string {
    const form: Intl.DateTimeFormatOptions = {
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
    };
    return new Intl.DateTimeFormat(undefined, form).format(at);
}

const SIGNALS: Record<string, string> = {
    SIGABRT: 'it gave up on itself',
    SIGBUS: 'it touched memory that is not there',
    SIGFPE: 'impossible arithmetic',
    SIGILL: 'an instruction the processor does not know',
    SIGKILL: 'it was killed',
    SIGSEGV: 'it touched memory that is not its own',
    SIGSYS: 'it asked the system for something that is not allowed here',
    SIGTERM: 'it was asked to stop',
    SIGXCPU: 'it used up its processor time',
    SIGXFSZ: 'a file grew too large',
};

export const strings = {
    ...frameStrings,
    console: {
        empty: 'Nothing has run yet.',
        emptyHint: 'Press Run or Ctrl+Enter. What the program prints appears here, live.',
        log: 'Output of the runs',
        more: (run: string): string => `More about: ${run}`,
        clear: 'Clear',
        newOutput: 'New output below',
        /** Who: "you", a name, or nobody that is known. */
        title: (who: string | null): string => (who === null ? 'Run' : `Run by ${who}`),
        ahead: (position: number | null): string => {
            if (position === null || position <= 1) {
                return 'Next in line.';
            }
            return position === 2
                ? '1 run ahead of yours.'
                : `${position - 1} runs ahead of yours.`;
        },
        waiting: 'Running. Nothing printed so far.',
        nothing: 'It printed nothing.',
        hidden: (lines: number): string => `${count(lines)} earlier lines are not shown.`,
        frame: (line: number): string => `main.py, line ${line}`,
        editedFrame: (line: number): string => `main.py, line ${line}, edited since`,
        foreignFrames: (frames: number): string =>
            frames === 1 ? '1 library frame' : `${count(frames)} library frames`,
        /** In place of a picture, where there are only words. */
        picture: '[picture]',
        noPicture: '[a picture that is no PNG]',
        largePicture: '[a picture too large to show]',
    },
    chip: {
        queued: 'Queued',
        running: 'Running',
        waiting: 'Waits for input',
        stopping: 'Stopping',
        completed: 'Done',
        error: 'Error',
        exit: (code: number): string => `Exit ${code}`,
        crashed: 'Crashed',
        tooMuchOutput: 'Too much output',
        timedOut: 'Time limit',
        noInput: 'No input',
        outOfMemory: 'Out of memory',
        cancelled: 'Stopped',
        server: 'Server error',
        lost: 'Lost',
    },
    note: {
        exit: (code: number): string => `Ended with exit code ${code}.`,
        signal: (name: string): string =>
            SIGNALS[name] ? `Ended by ${name}: ${SIGNALS[name]}.` : `Ended by ${name}.`,
        timedOut: (limits: Limits | null): string =>
            limits
                ? `Stopped after ${limitSeconds(limits.runMs)}: the time limit. Output so far is kept.`
                : 'Stopped at the time limit. Output so far is kept.',
        inputTimeout: (limits: Limits | null): string =>
            limits
                ? `Stopped: it waited for input, ${limitSeconds(limits.inputMs)} at most, or less while others wait to run. Output so far is kept.`
                : 'Stopped: it waited too long for input. Output so far is kept.',
        stopping: 'Stopped: the server restarts, and the program waited for input. Run again.',
        outOfMemory: (limits: Limits | null): string =>
            limits
                ? `Stopped: used more than ${size(limits.memoryBytes)} of memory.`
                : 'Stopped: used more memory than a program may.',
        cancelledQueued: 'Given up before it started.',
        cancelled: 'Stopped. Output so far is kept.',
        outputLimit: 'Stopped: it went on printing far past the output limit.',
        truncated: (limits: Limits | null, dropped: number): string =>
            limits
                ? `Output cut at ${size(limits.outputBytes)}: ${size(dropped)} more was not kept.`
                : `Output cut: ${size(dropped)} more was not kept.`,
        server: (message: string): string =>
            `The server could not finish this run. ${message}`.trim(),
        lost: 'The server no longer knows this run. Run again.',
    },
    refusal: {
        codeTooLarge: (bytes: number, limits: Limits): string =>
            `The program has ${count(bytes)} bytes; ${count(limits.codeBytes)} are the most. Shorten it and run again.`,
        stdinTooLarge: (bytes: number, limits: Limits): string =>
            `The input has ${count(bytes)} bytes; ${count(limits.stdinBytes)} are the most. Shorten it and run again.`,
        codeTooLargeUnknown:
            'The program is larger than the server takes. Shorten it and run again.',
        rateLimited: (limits: Limits | null): string =>
            limits
                ? `You have run ${limits.runsPerMinute} times this minute. The Run button shows when the next is due.`
                : 'You have run many times this minute. The Run button shows when the next is due.',
        queueFull: (limits: Limits | null): string =>
            limits
                ? `All ${count(limits.queueMax)} places in the queue are taken. Try again in a moment.`
                : 'The queue is full. Try again in a moment.',
        unavailable:
            'The server cannot take programs right now. Your text is kept; try again in a moment.',
        outcomeUnknown:
            'The run may have been accepted: the queue went away before it could say. If you run again, the program may run twice.',
        network: 'Could not reach the server. Your text is kept on this page; try again.',
        other: (message: string): string => `The server did not take this: ${message}`,
        notWaiting: 'Somebody else was faster, or the program does not wait any more.',
        inputTooLarge: (limits: Limits | null): string =>
            limits
                ? `All input of a run together may have ${count(limits.stdinBytes)} bytes. Shorten it.`
                : 'This is more input than a run may be given. Shorten it.',
        cancel: 'Could not stop the program: the server was not reached. Try again.',
    },
    room: {
        again: 'Connected again',
    },
    people: {
        you: 'you',
        guest: 'Guest',
        open: (people: number): string =>
            people === 1 ? 'People: only you' : `People: ${people} here`,
        here: 'Here now',
        me: (name: string): string => `${name} (you)`,
        name: 'Your name',
        colour: 'Your colour',
        colours: [
            'Blue',
            'Rose',
            'Green',
            'Amber',
            'Violet',
            'Teal',
            'Brick',
            'Olive',
            'Slate',
            'Magenta',
            'Navy',
            'Brown',
        ],
        idle: 'idle',
        line: (line: number): string => `line ${count(line)}`,
        at: (name: string, line: number): string => `${name}, line ${count(line)}`,
        goTo: (whom: string): string => `Go to ${whom}`,
        above: 'People above what is shown',
        below: 'People below what is shown',
        follow: 'Follow',
        followName: (name: string): string => `Follow ${name}`,
        stop: 'Stop',
        stopName: (name: string): string => `Stop following ${name}`,
        following: (name: string, isTouched: boolean): string =>
            `Following ${name}. ${isTouched ? 'Tap' : 'Esc'} to stop`,
        joined: (name: string): string => `${name} joined`,
        left: (name: string): string => `${name} left`,
    },
    welcome: {
        youAre: (name: string): string => `You are ${name}.`,
        change: 'Change your name',
        keep: 'Keep this name',
    },
    history: {
        tab: 'History',
        list: 'Runs of this room',
        loading: 'Asking for the runs…',
        empty: 'Nothing has run yet. The last runs of this room are kept here, with their code.',
        failed: 'The runs could not be read. Open this tab again to try once more.',
        row: (who: string | null, when: string): string => `${who ?? 'Somebody'}, ${when}`,
        back: 'All runs',
        title: (who: string | null, when: string): string =>
            `Code of the run by ${who ?? 'somebody'}, ${when}`,
        same: 'The text is the same now.',
        legend: 'Red was there when it ran, green is there now.',
        noCode: 'The code of this run is not kept any more.',
        compare: 'Compared with now',
        code: 'Code when it ran',
        restore: 'Restore this version',
        restored: 'Restored for everyone. Undo (Ctrl+Z in the editor) takes it back.',
    },
    input: {
        tab: 'Input',
        label: 'Input for the program',
        hint: 'What input() and sys.stdin read first, whoever in this room runs it. When it is used up, the console asks.',
    },
    editor: {
        aria: 'Python code, main.py. Press Control M to make Tab move focus.',
        placeholder: 'Write Python here. Ctrl+Enter runs it for everyone in this room.',
        /** For one line of a phone. */
        placeholderShort: 'Write Python here.',
        loading: 'Loading the editor',
        joining: 'Joining the room',
        failed: 'The editor could not load. This simple box edits the same file.',
        runAction: 'Run program',
        stopAction: 'Stop program',
        downloadAction: 'Download main.py',
        readAction: 'Read last output',
        keysAction: 'Keyboard shortcuts',
    },
    prompt: {
        label: 'Answer to the program',
        placeholder: 'The program waits for input',
        send: 'Send',
        end: 'End of input',
        endTip: 'No more input: the program reads an end of file (Ctrl+D)',
    },
    events: {
        waits: (run: string): string => `${run} waits for input`,
        output: (run: string, words: string): string =>
            words === '' ? `${run} printed nothing.` : `${run} printed: ${words}`,
        started: (run: string): string => `${run} started`,
        ended: (run: string, outcome: string, line: number | null): string =>
            `${run}: ${outcome}${line === null ? '' : `, line ${line}`}`,
    },
    keyRow: {
        label: 'Keys for code',
        tab: 'Tab',
        ':': 'Colon',
        '(': 'Parenthesis',
        '[': 'Bracket',
        '"': 'Quote',
        '=': 'Equals sign',
        undo: 'Undo',
    },
} as const;

// The words of the frame: all that the page says before the first paint, and no more, because the
// frame waits for them. strings.ts has these and all others.

export function count(value: number): string {
    return new Intl.NumberFormat('en').format(value);
}

export const frameStrings = {
    app: {
        name: 'VVE',
        file: 'main.py',
        skip: 'Skip to the editor',
        status: 'Status',
        editor: 'Editor',
        output: 'Console and input',
        splitter: 'Editor and console sizes',
        panes: 'Panes',
        code: 'Code',
        console: 'Console',
        noErrors: 'No error is marked',
    },
    run: {
        run: 'Run',
        runHint: 'Ctrl ↵',
        stop: 'Stop',
        stopping: 'Stopping',
        queued: (position: number | null): string =>
            position === null ? 'Queued' : `Queued ${position}`,
        held: (seconds: number): string => `Run in ${seconds} s`,
        elapsed: (seconds: number): string => `${seconds} s`,
        offline: 'Offline',
        unavailable: 'Unavailable',
        tips: {
            idle: 'Run the program (Ctrl+Enter)',
            joining: 'Joining the room',
            sending: 'Sending the program',
            queued: 'Waiting for a free place. Press to give up yours.',
            running: (by: string | null): string =>
                by === null
                    ? 'Stop the program (Ctrl+.)'
                    : `Stop the program that ${by} runs (Ctrl+.)`,
            stopping: 'Stopping the program',
            held: 'Please wait until the server takes the next run',
            offline: 'The server cannot be reached. Press to try again.',
            unavailable: 'The server cannot run programs right now. Press to ask again.',
        },
    },
    banner: {
        offline:
            'Offline. Keep typing: your changes are kept on this page and merged when the connection is back.',
        offlineKept:
            'Offline. Keep typing: your changes are kept in this browser and merged when the connection is back.',
        joining:
            'The room cannot be reached. It is tried again; the text appears when it is there.',
        apart: (server: string, page: string): string =>
            `${server} does not answer. It may be away, or it does not know pages of ${page}: whoever runs it lets them in with --allow-origin.`,
        unready: 'The server cannot run programs right now. Keep typing: your text is kept.',
        unsaved:
            'The server cannot store changes right now. Keep typing, and keep this page open: they are stored when it can.',
        bad: 'There is no room with this address. A room has 1 to 64 letters, digits, "-" and "_".',
        tooLarge:
            'The text has become larger than a room may be. Your last changes are on this page only: download it (Ctrl+S), then reload.',
        refused:
            'The server did not take what this page sent. Your last changes are on this page only: download it (Ctrl+S), then reload.',
        full: 'This room is full: what you add is on this page only, and nobody else sees it. Delete what is not needed, download your text (Ctrl+S), then reload.',
        broken: 'The page did not load completely.',
        retry: 'Retry now',
        reload: 'Reload',
        newRoom: 'Make a new room',
    },
    status: {
        connecting: 'Connecting',
        live: 'Live, saved',
        saving: 'Live, saving',
        back: 'Reconnected',
        unsaved: 'Live, not saved',
        offline: 'Offline',
        ended: 'Not connected',
        reconnecting: 'Reconnecting',
        bytes: (bytes: number, most: number): string =>
            `${count(bytes)} / ${count(most)} bytes`,
        position: (line: number, column: number): string => `Ln ${line}, Col ${column}`,
        people: (people: number): string => (people === 1 ? '1 person' : `${people} people`),
        language: 'Python',
        tabMoves: (isOn: boolean): string => `Tab moves focus: ${isOn ? 'on' : 'off'} (Ctrl M)`,
    },
    header: {
        file: 'File',
        /** Where there is room for one menu only. */
        menu: 'Menu',
        share: 'Share',
        shareRoom: 'Share this room',
        settings: 'Settings',
    },
} as const;

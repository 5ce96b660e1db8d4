// The words of menus, dialogs and examples, which come when the editor is there: it does not wait for
// them. All others are in strings.ts.
import { count, frameStrings } from './frameStrings';

export const layerStrings = {
    ...frameStrings,
    layers: {
        close: 'Close',
        cancel: 'Cancel',
        understood: 'OK',
    },
    output: {
        copy: 'Copy output',
        copied: 'Output copied',
        notCopied: 'The browser did not let the output be copied',
        download: 'Download output',
        file: 'output.txt',
        code: 'Code of this run',
        again: 'Run it again',
        codeGone: 'The code of this run is not kept any more.',
    },
    file: {
        open: 'Open a .py file…',
        download: 'Download main.py',
        readOutput: 'Read last output',
        downloadKeys: 'Ctrl+S',
        duplicate: 'Duplicate this room',
        examples: 'Examples',
        replace: (name: string): string => `Replace everyone's code with "${name}"?`,
        replaceHint: 'You can undo this.',
        replaceYes: 'Replace',
        drop: 'Drop the file to open it for everyone',
        notOpened: (name: string): string => `"${name}" cannot be opened`,
        tooLarge: (bytes: number, most: number): string =>
            `The file has ${count(bytes)} bytes; a program may have ${count(most)} at most.`,
        notUtf8: 'The file is not UTF-8 text. Save it as UTF-8 and open it again.',
        noText: 'The file holds bytes that are no text.',
        unreadable: 'The browser could not read the file.',
        noStorage:
            'This browser keeps nothing for this page, so the text cannot be carried over. Download it and open it in a new room.',
    },
    plot: {
        name: (number: number): string => `Plot ${number} of this run`,
        full: 'Show at full size',
        fit: 'Fit into the console',
        download: (number: number): string => `Download plot ${number}`,
        file: (number: number): string => `plot-${number}.png`,
    },
    examples: {
        begin: 'Or begin with an example:',
        hello: 'Hello, one by one',
        picture: 'Paint a picture',
        guess: 'Guess the number',
        mistake: 'Find the mistake',
        progress: 'Colours and progress',
        life: 'Game of Life',
    },
    share: {
        about: 'Anyone with the link can edit and run code.',
        link: 'Link to this room',
        copy: 'Copy',
        copied: 'Copied',
        selected: 'The link is selected: press Ctrl+C to copy it.',
        qr: 'Link to this room as a QR code',
        qrHint: 'Or point a camera at this.',
    },
    theme: {
        title: 'Theme',
        system: 'System',
        light: 'Light',
        dark: 'Dark',
    },
    settings: {
        fontSize: 'Size of the code',
        smaller: 'Smaller',
        larger: 'Larger',
        isWrapped: { label: 'Wrap long lines', hint: '' },
        isTabLeaving: {
            label: 'Tab moves focus',
            hint: 'Off: Tab indents. Ctrl+M in the editor switches too.',
        },
        isStill: { label: 'Reduce motion', hint: 'Also when the system does not ask for it.' },
        isOutputRead: {
            label: 'Announce output',
            hint: 'A screen reader says what a run printed when it ends.',
        },
        isKeeping: {
            label: 'Keep my edits in this browser',
            hint: 'What is typed offline survives a reload. Not for a shared computer.',
        },
    },
    keys: {
        title: 'Keyboard shortcuts',
        /** Keys are parted by spaces; what stands beside a "/" is one or the other. */
        list: [
            ['Ctrl+Enter', 'Run'],
            ['Ctrl+.', 'Stop'],
            ['Ctrl+S', 'Download main.py'],
            ['Ctrl+Z / Ctrl+Y', 'Undo, redo your own changes'],
            ['Ctrl+/', 'Comment lines'],
            ['F8 / Shift+F8', 'Next, previous error'],
            ['Alt+1 / 2 / 3', 'Console, Input, History'],
            ['F6 / Shift+F6', 'Next, previous part of the page'],
            ['Ctrl+M', 'Tab moves focus, on or off'],
            ['F1', 'All commands of the editor'],
            ['Esc', 'Close'],
            ['?', 'These shortcuts, outside the editor'],
        ],
    },
} as const;

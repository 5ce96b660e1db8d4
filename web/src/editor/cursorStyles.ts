// How other people's cursors look. y-monaco gives each a class name with the client's number; the
// name beside it is the "content" of a style rule, so every character of it that could mean
// something there is escaped. Rules go into a style sheet of their own, never into markup.
import type { Person } from '../room/person';

/** How long a name stays beside a cursor that has moved. */
const SHOWN_MS = 2_000;

/** A CSS string with these characters, whatever they are. */
export function quoted(text: string): string {
    const escaped = [...text].map((char) =>
        /[A-Za-z0-9]/.test(char) ? char : `\\${char.codePointAt(0)!.toString(16)} `,
    );
    return `"${escaped.join('')}"`;
}

/** The rules of one person. Both numbers are checked: they come from other people's browsers. */
export function rulesFor(client: number, { name, colour }: Person, isShown: boolean): string {
    if (!Number.isSafeInteger(client) || !Number.isSafeInteger(colour)) {
        return '';
    }
    const selection = `.yRemoteSelection-${client}`;
    const head = `.yRemoteSelectionHead-${client}`;
    return [
        `${selection}, ${head} { --person: var(--person-${colour}); }`,
        `${head}::after { content: ${quoted(name)}; opacity: ${isShown ? 1 : 0}; }`,
    ].join('\n');
}

export class CursorStyles {
    private readonly sheet = new CSSStyleSheet();
    private people: ReadonlyMap<number, Person> = new Map();
    /** Who has moved, and until when the name is shown. */
    private readonly shown = new Map<number, ReturnType<typeof setTimeout>>();

    constructor() {
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.sheet];
    }

    /** `moved`: whose names to show for a while. */
    show(people: ReadonlyMap<number, Person>, moved: Iterable<number>): void {
        this.people = people;
        for (const client of moved) {
            clearTimeout(this.shown.get(client));
            const hide = (): void => {
                this.shown.delete(client);
                this.write();
            };
            this.shown.set(client, setTimeout(hide, SHOWN_MS));
        }
        this.write();
    }

    close(): void {
        this.shown.forEach(clearTimeout);
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter(
            (sheet) => sheet !== this.sheet,
        );
    }

    private write(): void {
        const rules = [...this.people].map(([client, person]) =>
            rulesFor(client, person, this.shown.has(client)),
        );
        this.sheet.replaceSync(rules.join('\n'));
    }
}

// Puts another text in the place of everybody's: asks before anything is lost, and undo takes it back.
import { editor } from '../editor/control';
import { openDialog } from '../layers/dialogs';
import { program, roomState, server } from '../page';
import { layerStrings as strings } from '../layerStrings';
import { goToEditor } from '../ui/panes';
import { readPython, shortName } from './pythonFile';

function replace(text: string): void {
    goToEditor();
    editor()?.replace(text);
}

/** `name` is what the text is known as. */
export function replaceProgram(text: string, name: string): void {
    const now = program.get().text;
    if (!roomState.get().hasText) {
        return;
    }
    if (now.trim() === '' || now === text) {
        replace(text);
        return;
    }
    openDialog({
        kind: 'question',
        title: strings.file.replace(name),
        text: strings.file.replaceHint,
        yes: strings.file.replaceYes,
        onYes: () => replace(text),
    });
}

export async function openFile(file: File): Promise<void> {
    const reading = await readPython(file, server.state.get().limits);
    const name = shortName(file);
    if ('text' in reading) {
        replaceProgram(reading.text, name);
    } else {
        const title = strings.file.notOpened(name);
        openDialog({ kind: 'notice', title, text: reading.problem });
    }
}

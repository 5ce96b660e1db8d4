// Where dialogs appear. Their code comes after the editor, or with the first dialog.
import { Suspense } from 'react';
import { editorCame } from '../editor/control';
import { useStore } from '../store';
import { late } from '../ui/late';
import { dialog } from './dialogs';

async function load() {
    const { loadDialogs } = await import('../work');
    return (await loadDialogs()).DialogBox;
}

const DialogBox = late(load);

// So that it is there when the network is not; without it now, the first dialog asks again.
editorCame.then(load).catch(() => undefined);

export function DialogPlace() {
    const open = useStore(dialog);
    return (
        open && (
            <Suspense fallback={null}>
                <DialogBox open={open} />
            </Suspense>
        )
    );
}

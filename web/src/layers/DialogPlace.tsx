// Where dialogs appear. Their code comes after the editor, or with the first dialog.
import { Suspense } from 'react';
import { useStore } from '../store';
import { lateAtHand } from '../ui/late';
import { dialog } from './dialogs';

const DialogBox = lateAtHand(async () => {
    const { loadDialogs } = await import('../work');
    return (await loadDialogs()).DialogBox;
});

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

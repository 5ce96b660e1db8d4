// Draws the dialog that is open. In a chunk of its own, with all that only dialogs need.
import { KeysDialog } from '../keys/KeysDialog';
import { SettingsDialog } from '../settings/SettingsDialog';
import { ShareDialog } from '../share/ShareDialog';
import { layerStrings as strings } from '../layerStrings';
import { Button } from './Button';
import { Choices, Dialog } from './Dialog';
import { closeDialog, type OpenDialog } from './dialogs';

function Question({ open }: { open: OpenDialog & { kind: 'question' } }) {
    return (
        <Dialog title={open.title} about={open.text}>
            <Choices>
                <Button onClick={() => closeDialog()}>{strings.layers.cancel}</Button>
                <Button isMain onClick={() => closeDialog(open.onYes)}>
                    {open.yes}
                </Button>
            </Choices>
        </Dialog>
    );
}

function Notice({ open }: { open: OpenDialog & { kind: 'notice' } }) {
    return (
        <Dialog title={open.title} about={open.text}>
            <Choices>
                <Button isMain onClick={() => closeDialog()}>
                    {strings.layers.understood}
                </Button>
            </Choices>
        </Dialog>
    );
}

export function DialogBox({ open }: { open: OpenDialog }) {
    switch (open.kind) {
        case 'question':
            return <Question open={open} />;
        case 'notice':
            return <Notice open={open} />;
        case 'share':
            return <ShareDialog />;
        case 'settings':
            return <SettingsDialog />;
        case 'keys':
            return <KeysDialog />;
    }
}

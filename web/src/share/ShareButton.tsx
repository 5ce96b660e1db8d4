// Opens the dialog with the link to this room.
import { Link } from 'lucide-react';
import { openDialog } from '../layers/dialogs';
import { frameStrings as strings } from '../frameStrings';
import css from './ShareButton.module.css';

export function ShareButton() {
    return (
        <button
            type="button"
            className={css.button}
            aria-haspopup="dialog"
            aria-label={strings.header.shareRoom}
            title={strings.header.shareRoom}
            onClick={() => openDialog({ kind: 'share' })}
        >
            <Link size={15} aria-hidden="true" />
            <span className={css.words}>{strings.header.share}</span>
        </button>
    );
}

// Opens the settings.
import { Settings } from 'lucide-react';
import { openDialog } from '../layers/dialogs';
import { frameStrings as strings } from '../frameStrings';
import css from './SettingsButton.module.css';

export function SettingsButton() {
    return (
        <button
            type="button"
            className={css.button}
            aria-haspopup="dialog"
            aria-label={strings.header.settings}
            title={strings.header.settings}
            onClick={() => openDialog({ kind: 'settings' })}
        >
            <Settings size={17} aria-hidden="true" />
        </button>
    );
}

// Keys that soft keyboards hide, in a row above them while somebody types on a touch screen.
import { ArrowRightToLine, Undo2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { useStore } from '../store';
import { strings } from '../strings';
import { editor, isEditorFocused } from './control';
import css from './KeyRow.module.css';

const LETTERS = [':', '(', '[', '"', '='] as const;

interface KeyProps {
    name: string;
    onPress(): void;
    children: ReactNode;
}

function Key({ name, onPress, children }: KeyProps) {
    return (
        <button
            type="button"
            aria-label={name}
            // The editor keeps the focus, and with it the soft keyboard.
            onMouseDown={(event) => event.preventDefault()}
            onClick={onPress}
        >
            {children}
        </button>
    );
}

export function KeyRow() {
    const isFocused = useStore(isEditorFocused);
    if (!isFocused) {
        return null;
    }
    return (
        <div className={css.row} role="group" aria-label={strings.keyRow.label}>
            <Key name={strings.keyRow.tab} onPress={() => editor()?.type('\t')}>
                <ArrowRightToLine size={18} aria-hidden="true" />
            </Key>
            {LETTERS.map((letter) => (
                <Key
                    key={letter}
                    name={strings.keyRow[letter]}
                    onPress={() => editor()?.type(letter)}
                >
                    {letter}
                </Key>
            ))}
            <Key name={strings.keyRow.undo} onPress={() => editor()?.undo()}>
                <Undo2 size={18} aria-hidden="true" />
            </Key>
        </div>
    );
}

// Where anybody in the room answers a program that waits for input. The first answer counts.
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import { session } from '../page';
import { strings } from '../strings';
import css from './PromptRow.module.css';

interface Props {
    jobId: string;
    isOwn: boolean;
}

/** Whether somebody types somewhere, whom it would disturb to be taken away. */
function isTyping(): boolean {
    const { activeElement } = document;
    return (
        activeElement instanceof HTMLTextAreaElement ||
        activeElement instanceof HTMLInputElement ||
        (activeElement instanceof HTMLElement && activeElement.isContentEditable)
    );
}

export function PromptRow({ jobId, isOwn }: Props) {
    const [text, setText] = useState('');
    const [isSending, setIsSending] = useState(false);
    const box = useRef<HTMLInputElement>(null);

    useEffect(() => {
        if (isOwn && !isTyping()) {
            box.current?.focus({ preventScroll: true });
        }
    }, [isOwn]);

    // The row goes when the answer was taken, unless the program waits again at once; what was not
    // taken stays, to be sent again.
    const give = async (data: string, isLast: boolean): Promise<void> => {
        setIsSending(true);
        if (await session.give(jobId, data, isLast)) {
            setText('');
        }
        setIsSending(false);
    };

    const onSubmit = (event: FormEvent): void => {
        event.preventDefault();
        if (!isSending) {
            void give(`${text}\n`, false);
        }
    };

    const onKeyDown = (event: KeyboardEvent): void => {
        if (event.key === 'd' && event.ctrlKey && text === '' && !isSending) {
            event.preventDefault();
            void give('', true);
        }
    };

    return (
        <form className={css.row} onSubmit={onSubmit}>
            <input
                ref={box}
                className={css.text}
                data-prompt
                type="text"
                aria-label={strings.prompt.label}
                placeholder={strings.prompt.placeholder}
                autoCapitalize="off"
                autoComplete="off"
                spellCheck={false}
                value={text}
                onChange={(event) => setText(event.target.value)}
                onKeyDown={onKeyDown}
            />
            <button type="submit" className={css.send}>
                {strings.prompt.send}
            </button>
            <button
                type="button"
                className={css.end}
                title={strings.prompt.endTip}
                onClick={() => void give(text, true)}
            >
                {strings.prompt.end}
            </button>
        </form>
    );
}

// The text a program reads as its standard input: one for the room, whoever runs.
import { input, room, roomState, server } from '../page';
import { useStore } from '../store';
import { strings } from '../strings';
import { useSharedBox } from '../text/useSharedBox';
import { ByteCount } from '../ui/ByteCount';
import css from './InputBox.module.css';

const writer = () => room.get()?.inputWriter;

export function InputBox() {
    const { text, bytes } = useStore(input);
    const box = useSharedBox(text, writer);
    const { limits } = useStore(server.state);
    const { hasText } = useStore(roomState);
    return (
        <div className={css.box}>
            <textarea
                {...box}
                className={css.text}
                aria-label={strings.input.label}
                aria-describedby="input-hint"
                spellCheck={false}
                autoCapitalize="off"
                autoComplete="off"
                readOnly={!hasText}
            />
            <div className={css.foot}>
                <p id="input-hint">{strings.input.hint}</p>
                <ByteCount bytes={bytes} most={limits?.stdinBytes ?? null} />
            </div>
        </div>
    );
}

// The text a program reads as its standard input.
import { input, server } from '../page';
import { useStore } from '../store';
import { strings } from '../strings';
import { ByteCount } from '../ui/ByteCount';
import css from './InputBox.module.css';

export function InputBox() {
    const { text, bytes } = useStore(input.state);
    const { limits } = useStore(server.state);
    return (
        <div className={css.box}>
            <textarea
                className={css.text}
                aria-label={strings.input.label}
                aria-describedby="input-hint"
                spellCheck={false}
                autoCapitalize="off"
                autoComplete="off"
                value={text}
                onChange={(event) => input.write(event.target.value)}
            />
            <div className={css.foot}>
                <p id="input-hint">{strings.input.hint}</p>
                <ByteCount bytes={bytes} most={limits?.stdinBytes ?? null} />
            </div>
        </div>
    );
}

// What to begin with, under the editor's placeholder while the text is empty.
import { replaceProgram } from '../file/replaceProgram';
import { layerStrings as strings } from '../layerStrings';
import { Button } from '../layers/Button';
import { FIRST_EXAMPLES } from './examples';
import css from './EmptyRoom.module.css';

/** `left`: where the text would begin, CSS pixels. */
export function EmptyRoom({ left }: { left: number }) {
    return (
        <div
            className={css.place}
            role="group"
            aria-label={strings.examples.begin}
            style={{ paddingLeft: left }}
        >
            <p className={css.words}>{strings.examples.begin}</p>
            {FIRST_EXAMPLES.map(({ id, code }) => (
                <Button
                    key={id}
                    className={css.button}
                    onClick={() => replaceProgram(code, strings.examples[id])}
                >
                    {strings.examples[id]}
                </Button>
            ))}
        </div>
    );
}

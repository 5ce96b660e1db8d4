// The keys of the page, by what they do.
import { Dialog } from '../layers/Dialog';
import { layerStrings as strings } from '../layerStrings';
import css from './KeysDialog.module.css';

/** "Ctrl+Enter" as keys to press together, "Z / Y" as one or the other. */
function Keys({ words }: { words: string }) {
    return (
        <span className={css.keys}>
            {words
                .split(' ')
                .map((part, at) =>
                    part === '/' ? <span key={at}>/</span> : <kbd key={at}>{part}</kbd>,
                )}
        </span>
    );
}

export function KeysDialog() {
    return (
        <Dialog title={strings.keys.title}>
            <dl className={css.list}>
                {strings.keys.list.map(([keys, words]) => (
                    <div key={words} className={css.row}>
                        <dt>{words}</dt>
                        <dd>
                            <Keys words={keys} />
                        </dd>
                    </div>
                ))}
            </dl>
        </Dialog>
    );
}

// A picture that a program has printed. In a chunk of its own: most programs print none.
import { Download } from 'lucide-react';
import { useState } from 'react';
import { layerStrings as strings } from '../layerStrings';
import type { Picture } from './picture';
import css from './Plot.module.css';

/** As wide as there is room for, and not too high; a click shows it as large as it is. */
export function Plot({ picture }: { picture: Picture }) {
    const { address, width, height, number } = picture;
    const [isFull, setFull] = useState(false);
    const name = strings.plot.name(number);
    return (
        <figure className={css.plot}>
            <button
                type="button"
                className={css.frame}
                aria-pressed={isFull}
                title={isFull ? strings.plot.fit : strings.plot.full}
                onClick={() => setFull(!isFull)}
            >
                <img
                    src={address}
                    alt={name}
                    width={width}
                    height={height}
                    className={isFull ? undefined : css.fit}
                    decoding="async"
                />
            </button>
            <a
                className={css.keep}
                href={address}
                download={strings.plot.file(number)}
                aria-label={strings.plot.download(number)}
                title={strings.plot.download(number)}
            >
                <Download size={15} aria-hidden="true" />
            </a>
        </figure>
    );
}

// How much of a limit is used; shown only when it is nearly reached.
import { frameStrings as strings } from '../frameStrings';
import css from './ByteCount.module.css';

const NEARLY = 0.8;

export function ByteCount({ bytes, most }: { bytes: number; most: number | null }) {
    if (most === null || bytes < most * NEARLY) {
        return null;
    }
    return (
        <span className={bytes > most ? css.over : css.near}>
            {strings.status.bytes(bytes, most)}
        </span>
    );
}

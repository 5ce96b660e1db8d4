// The code of a run where Monaco could not load: as it was, without a comparison.
import { strings } from '../strings';
import css from './HistoryPane.module.css';

export default function PlainCode({ before }: { before: string; now: string }) {
    return (
        // A scrolling area has to be reachable by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre className={css.plain} aria-label={strings.history.code} tabIndex={0}>
            {before}
        </pre>
    );
}

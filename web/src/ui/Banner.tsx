// Says across the page that the daemon is away, with the one thing that can be done about it.
import { server } from '../page';
import { useStore } from '../store';
import { strings } from '../strings';
import css from './Banner.module.css';

export function Banner() {
    const { link } = useStore(server.state);
    if (link !== 'offline' && link !== 'unready') {
        return null;
    }
    return (
        <div className={css.banner} role="alert">
            <p>{strings.banner[link]}</p>
            <button type="button" className={css.retry} onClick={() => void server.check()}>
                {strings.banner.retry}
            </button>
        </div>
    );
}

// The places of the editor and the console at the first paint: the same lines and grounds, still
// empty, so that nothing moves when their code has come.
import { useStore } from '../store';
import { keptShare, useLayout, usePaneMin } from './layout';
import { isAway, shown, type Pane } from './panes';
import css from './Work.module.css';

export function WorkPlace() {
    const layout = useLayout();
    const now = useStore(shown);
    const share = keptShare(usePaneMin(layout));
    const direction = layout === 'wide' ? 'horizontal' : 'vertical';
    const away = (id: Pane): string => (isAway(layout, now, id) ? css.away! : '');
    return (
        <div className={`${css.work} ${css.place}`} data-direction={direction}>
            <div className={`${css.code} ${away('code')}`} style={{ flexGrow: share }} />
            <div className={css.splitter} data-panel-group-direction={direction} />
            <div
                className={`${css.console} ${away('console')}`}
                style={{ flexGrow: 100 - share }}
            >
                <div className={css.bar} />
            </div>
        </div>
    );
}

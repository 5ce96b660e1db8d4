// What can be done with one run. Its button is there with the run; what it opens comes with the first
// press.
import { Ellipsis } from 'lucide-react';
import { forwardRef, Suspense, useState, type ComponentPropsWithoutRef } from 'react';
import { titleOf } from '../run/outcome';
import type { Run } from '../run/session';
import { strings } from '../strings';
import { late } from '../ui/late';
import { loadRunItems } from '../work';
import css from './RunMenu.module.css';

interface ButtonProps extends ComponentPropsWithoutRef<'button'> {
    run: Run;
}

export const RunMenuButton = forwardRef<HTMLButtonElement, ButtonProps>(function RunMenuButton(
    { run, ...props },
    ref,
) {
    const name = strings.console.more(titleOf(run));
    return (
        <button
            ref={ref}
            type="button"
            className={css.button}
            aria-haspopup="menu"
            aria-expanded={false}
            aria-label={name}
            title={name}
            {...props}
        >
            <Ellipsis size={16} aria-hidden="true" />
        </button>
    );
});

const RunItems = late(async () => (await loadRunItems()).RunItems);

export function RunMenu({ run }: { run: Run }) {
    const [isOpened, setOpened] = useState(false);
    const button = <RunMenuButton run={run} onClick={() => setOpened(true)} />;
    return isOpened ? (
        <Suspense fallback={button}>
            <RunItems run={run} />
        </Suspense>
    ) : (
        button
    );
}

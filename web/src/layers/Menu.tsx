// A menu behind a button. What is chosen acts once the menu is gone and the focus is back on the
// button, so that whatever opens next can give it back there.
import * as Radix from '@radix-ui/react-dropdown-menu';
import { createContext, useContext, useEffect, useId, useRef, type ReactNode } from 'react';
import css from './Menu.module.css';

/** How the button was left by the one whose place it takes. */
export type MenuStart = 'closed' | 'focused' | 'open';

type Act = () => void;
const ChooseContext = createContext<(act: Act) => void>(() => undefined);

interface Props {
    /** A component that hands its ref and its properties to a <button>. */
    button: ReactNode;
    start: MenuStart;
    children: ReactNode;
}

export function Menu({ button, start, children }: Props) {
    const chosen = useRef<Act | null>(null);
    const opener = useRef<HTMLButtonElement>(null);
    useEffect(() => {
        if (start === 'focused') {
            opener.current?.focus();
        }
    }, [start]);

    const actAfterwards = (event: Event): void => {
        event.preventDefault();
        opener.current?.focus();
        chosen.current?.();
        chosen.current = null;
    };

    return (
        <Radix.Root defaultOpen={start === 'open'}>
            <Radix.Trigger asChild ref={opener}>
                {button}
            </Radix.Trigger>
            <Radix.Portal>
                <Radix.Content
                    className={css.menu}
                    align="start"
                    sideOffset={6}
                    collisionPadding={8}
                    onCloseAutoFocus={actAfterwards}
                >
                    <ChooseContext.Provider value={(act) => (chosen.current = act)}>
                        {children}
                    </ChooseContext.Provider>
                </Radix.Content>
            </Radix.Portal>
        </Radix.Root>
    );
}

interface ItemProps {
    icon?: ReactNode;
    /** Keys that do the same, as words. */
    keys?: string;
    isDisabled?: boolean;
    onChoose: Act;
    children: ReactNode;
}

export function MenuItem({ icon, keys, isDisabled = false, onChoose, children }: ItemProps) {
    const choose = useContext(ChooseContext);
    return (
        <Radix.Item
            className={css.item}
            disabled={isDisabled}
            onSelect={() => choose(onChoose)}
        >
            <span className={css.icon}>{icon}</span>
            {children}
            {keys !== undefined && <kbd className={css.keys}>{keys}</kbd>}
        </Radix.Item>
    );
}

/** Items that belong together, under a heading. */
export function MenuGroup({ label, children }: { label: string; children: ReactNode }) {
    const id = useId();
    return (
        <Radix.Group aria-labelledby={id}>
            <Radix.Separator className={css.line} />
            <Radix.Label id={id} className={css.label}>
                {label}
            </Radix.Label>
            {children}
        </Radix.Group>
    );
}

export function MenuLine() {
    return <Radix.Separator className={css.line} />;
}

// The File menu. Its button is there at once; what it opens comes after the editor, or with the first
// press.
import { ChevronDown, Ellipsis } from 'lucide-react';
import { forwardRef, Suspense, useState, type ComponentPropsWithoutRef } from 'react';
import { editorCame } from '../editor/control';
import type { MenuStart } from '../layers/Menu';
import { frameStrings as strings } from '../frameStrings';
import { late } from '../ui/late';
import { useLayout } from '../ui/layout';
import css from './FileMenu.module.css';

export const FileButton = forwardRef<HTMLButtonElement, ComponentPropsWithoutRef<'button'>>(
    function FileButton(props, ref) {
        const isNarrow = useLayout() === 'single';
        const name = isNarrow ? strings.header.menu : undefined;
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
                {isNarrow ? (
                    <Ellipsis size={20} aria-hidden="true" />
                ) : (
                    <>
                        {strings.header.file}
                        <ChevronDown size={14} aria-hidden="true" />
                    </>
                )}
            </button>
        );
    },
);

let hurry = (): void => undefined;
const pressed = new Promise<void>((resolve) => {
    hurry = resolve;
});

const FileItems = late(async () => {
    await Promise.race([editorCame, pressed]);
    const { loadFileItems } = await import('../work');
    return (await loadFileItems()).FileItems;
});

export function FileMenu() {
    const [start, setStart] = useState<MenuStart>('closed');
    const open = (): void => {
        setStart('open');
        hurry();
    };
    const stay = (next: MenuStart): void => setStart((now) => (now === 'open' ? now : next));
    return (
        <Suspense
            fallback={
                <FileButton
                    onClick={open}
                    onFocus={() => stay('focused')}
                    onBlur={() => stay('closed')}
                />
            }
        >
            <FileItems start={start} />
        </Suspense>
    );
}

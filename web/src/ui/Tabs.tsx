// A tab list as screen readers and keyboards expect it: one tab stop, arrows move and choose.
import { useRef, type KeyboardEvent, type ReactNode } from 'react';
import { panelId, tabId } from './tabIds';
import css from './Tabs.module.css';

export interface Tab<Id extends string> {
    id: Id;
    label: ReactNode;
}

interface Props<Id extends string> {
    /** Ids in the page are made of this: tabId() and panelId(). */
    name: string;
    label: string;
    tabs: readonly Tab<Id>[];
    chosen: Id;
    isWide?: boolean;
    onChoose(id: Id): void;
}

function targetOf(key: string, at: number, count: number): number | null {
    switch (key) {
        case 'ArrowRight':
            return (at + 1) % count;
        case 'ArrowLeft':
            return (at + count - 1) % count;
        case 'Home':
            return 0;
        case 'End':
            return count - 1;
        default:
            return null;
    }
}

export function Tabs<Id extends string>(props: Props<Id>) {
    const { name, label, tabs, chosen, isWide = false, onChoose } = props;
    const list = useRef<HTMLDivElement>(null);

    const onKeyDown = (event: KeyboardEvent): void => {
        const at = tabs.findIndex((tab) => tab.id === chosen);
        const target = targetOf(event.key, at, tabs.length);
        const tab = target === null ? undefined : tabs[target];
        if (tab) {
            event.preventDefault();
            onChoose(tab.id);
            list.current?.querySelector<HTMLElement>(`#${tabId(name, tab.id)}`)?.focus();
        }
    };

    return (
        <div
            ref={list}
            className={`${css.tabs} ${isWide ? css.wide : ''}`}
            role="tablist"
            aria-label={label}
            tabIndex={-1}
            onKeyDown={onKeyDown}
        >
            {tabs.map((tab) => (
                <button
                    key={tab.id}
                    id={tabId(name, tab.id)}
                    className={css.tab}
                    role="tab"
                    type="button"
                    aria-selected={tab.id === chosen}
                    aria-controls={panelId(name, tab.id)}
                    tabIndex={tab.id === chosen ? 0 : -1}
                    onClick={() => onChoose(tab.id)}
                >
                    {tab.label}
                </button>
            ))}
        </div>
    );
}

// Parts of the page that come after the first paint, each in a chunk of its own.
import { lazy, type ComponentType, type LazyExoticComponent } from 'react';
import { editorCame } from '../editor/control';
import { Store } from '../store';

/** Whether some part did not come; the page says so and goes on without it. */
export const isIncomplete = new Store(false);

/** A component to be drawn inside <Suspense>; nothing stands in its place where its code does not come. */
export function late<Props>(
    load: () => Promise<ComponentType<Props>>,
): LazyExoticComponent<ComponentType<Props>> {
    return lazy(async () => {
        try {
            return { default: await load() };
        } catch {
            isIncomplete.set(true);
            return { default: () => null };
        }
    });
}

/** The same for what is not needed before the editor: fetched after it, to be at hand also offline. */
export function lateAtHand<Props>(
    load: () => Promise<ComponentType<Props>>,
): LazyExoticComponent<ComponentType<Props>> {
    // What fails here is tried again, and said, when it is needed.
    editorCame.then(load).catch(() => undefined);
    return late(load);
}

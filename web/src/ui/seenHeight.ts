// Keeps the page as tall as what is seen of it. Some browsers lay their soft keyboard over the page
// instead of making it smaller, and the row of keys would be behind it.

/** Makes --seen the height that is seen, CSS pixels. */
export function watchSeenHeight(): void {
    const view = window.visualViewport;
    const fit = (): void => {
        // Someone who looks at the page through a magnifying glass has not made it smaller.
        if (view && view.scale === 1) {
            document.documentElement.style.setProperty('--seen', `${view.height}px`);
        }
    };
    view?.addEventListener('resize', fit);
}

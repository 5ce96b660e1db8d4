// Runs before the first paint: chooses the colours, so that nobody sees the wrong ones flash by.
// Kept apart from the modules because those run after the page is parsed. The same choice is
// made again in theme.ts whenever the setting or the system changes.
(function () {
    var choice = null;
    try {
        choice = localStorage.getItem('vve:theme');
    } catch {
        // Storage may be forbidden; then the system decides.
    }
    if (choice !== 'light' && choice !== 'dark') {
        choice = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
    }
    document.documentElement.dataset.theme = choice;
})();

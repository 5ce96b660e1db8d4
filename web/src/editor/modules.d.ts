// Inner modules of Monaco that have no types of their own.
declare module 'monaco-editor/esm/vs/editor/editor.worker.js?worker' {
    const EditorWorker: new () => Worker;
    export default EditorWorker;
}

declare module 'monaco-editor/esm/vs/basic-languages/python/python.js' {
    import type { languages } from 'monaco-editor';
    export const conf: languages.LanguageConfiguration;
    export const language: languages.IMonarchLanguage;
}

declare module 'monaco-editor/esm/vs/editor/browser/config/tabFocus.js' {
    import type { IDisposable } from 'monaco-editor';
    /** Whether Tab moves the focus instead of indenting, for all editors of the page. */
    export const TabFocus: {
        getTabFocusMode(): boolean;
        setTabFocusMode(isOn: boolean): void;
        onDidChangeTabFocus(listener: (isOn: boolean) => void): IDisposable;
    };
}

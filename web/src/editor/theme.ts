// Monaco's colours, read from the page's own tokens, so that there is one table of colours.
import { monaco } from './monaco';

export const THEME = 'vve';

function token(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Defines the theme again from the tokens in force; call after the page's theme changed. */
export function applyTheme(): void {
    const isDark = document.documentElement.dataset.theme === 'dark';
    const rule = (name: string, colour: string, fontStyle = '') => ({
        token: name,
        foreground: token(colour).slice(1),
        fontStyle,
    });
    const tint = (colour: string, alpha: string): string => token(colour) + alpha;
    monaco.editor.defineTheme(THEME, {
        base: isDark ? 'vs-dark' : 'vs',
        inherit: true,
        rules: [
            rule('', 'text'),
            rule('keyword', 'syntax-keyword'),
            rule('string', 'syntax-string'),
            rule('string.escape', 'syntax-string'),
            rule('number', 'syntax-number'),
            rule('comment', 'syntax-comment', 'italic'),
            rule('function', 'syntax-function'),
            rule('type', 'syntax-type'),
            rule('tag', 'syntax-decorator'),
            rule('identifier', 'text'),
            rule('delimiter', 'text'),
        ],
        colors: {
            'editor.background': token('surface'),
            'editor.foreground': token('text'),
            'editor.lineHighlightBackground': tint('sunken', isDark ? '80' : 'b0'),
            'editor.lineHighlightBorder': '#00000000',
            'editor.selectionBackground': tint('accent', isDark ? '4d' : '33'),
            'editor.inactiveSelectionBackground': tint('accent', isDark ? '2e' : '1f'),
            'editor.wordHighlightBackground': tint('accent', '1f'),
            'editor.findMatchBackground': tint('warning', '66'),
            'editor.findMatchHighlightBackground': tint('warning', '33'),
            'editorBracketMatch.background': tint('accent', '24'),
            'editorBracketMatch.border': '#00000000',
            'editorCursor.foreground': token('accent'),
            'diffEditor.insertedLineBackground': tint('ok', '1f'),
            'diffEditor.insertedTextBackground': tint('ok', '33'),
            'diffEditor.removedLineBackground': tint('error', '1f'),
            'diffEditor.removedTextBackground': tint('error', '33'),
            'editorError.foreground': token('error'),
            'editorGutter.background': token('surface'),
            'editorLineNumber.foreground': token('text-3'),
            'editorLineNumber.activeForeground': token('text'),
            'editorIndentGuide.background1': token('hairline'),
            'editorIndentGuide.activeBackground1': token('control'),
            'editor.placeholder.foreground': token('text-3'),
            'editorOverviewRuler.border': '#00000000',
            'editorWidget.background': token('surface'),
            'editorWidget.foreground': token('text'),
            'editorWidget.border': token('hairline'),
            'editorSuggestWidget.selectedBackground': tint('accent', '2e'),
            'editorSuggestWidget.selectedForeground': token('text'),
            'editorSuggestWidget.highlightForeground': token('accent'),
            'editorSuggestWidget.focusHighlightForeground': token('accent'),
            'quickInput.background': token('surface'),
            'quickInput.foreground': token('text'),
            'quickInputList.focusBackground': tint('accent', '2e'),
            'quickInputList.focusForeground': token('text'),
            'list.highlightForeground': token('accent'),
            'list.focusHighlightForeground': token('accent'),
            'input.background': token('sunken'),
            'input.foreground': token('text'),
            'input.border': token('control'),
            'scrollbar.shadow': '#00000000',
            'scrollbarSlider.background': tint('control', '40'),
            'scrollbarSlider.hoverBackground': tint('control', '66'),
            'scrollbarSlider.activeBackground': tint('control', '80'),
            focusBorder: token('accent'),
            'widget.shadow': isDark ? '#00000080' : '#00000029',
        },
    });
    monaco.editor.setTheme(THEME);
}

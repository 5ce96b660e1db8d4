// Two versions of the program line by line, in Monaco's own diff: read only, and it follows the
// text while others type.
import { useEffect, useRef } from 'react';
import { monaco, PLAIN_BRACKETS } from '../editor/monaco';
import { THEME } from '../editor/theme';
import { strings } from '../strings';
import css from './HistoryPane.module.css';

interface Props {
    before: string;
    now: string;
}

const OPTIONS: monaco.editor.IStandaloneDiffEditorConstructionOptions = {
    ariaLabel: strings.history.compare,
    automaticLayout: true,
    fontFamily: "'JetBrains Mono Variable', ui-monospace, 'DejaVu Sans Mono', monospace",
    fontLigatures: false,
    fontSize: 13,
    guides: { indentation: false },
    lineHeight: 20,
    hideUnchangedRegions: { enabled: true },
    minimap: { enabled: false },
    originalEditable: false,
    overviewRulerLanes: 0,
    readOnly: true,
    renderOverviewRuler: false,
    renderSideBySide: false,
    scrollBeyondLastLine: false,
    theme: THEME,
};

export default function CodeDiff({ before, now }: Props) {
    const place = useRef<HTMLDivElement>(null);
    const models = useRef<monaco.editor.IDiffEditorModel | null>(null);

    useEffect(() => {
        const view = monaco.editor.createDiffEditor(place.current!, OPTIONS);
        const made = {
            original: monaco.editor.createModel('', 'python'),
            modified: monaco.editor.createModel('', 'python'),
        };
        made.original.updateOptions({ bracketColorizationOptions: PLAIN_BRACKETS });
        made.modified.updateOptions({ bracketColorizationOptions: PLAIN_BRACKETS });
        view.setModel(made);
        models.current = made;
        return () => {
            models.current = null;
            view.dispose();
            made.original.dispose();
            made.modified.dispose();
        };
    }, []);
    useEffect(() => models.current?.original.setValue(before), [before]);
    useEffect(() => models.current?.modified.setValue(now), [now]);

    return <div ref={place} className={css.diff} />;
}

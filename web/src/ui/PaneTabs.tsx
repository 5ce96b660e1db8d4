// Where one pane is shown at a time: which one, and how the last run went.
import { session } from '../page';
import { chipOf } from '../run/outcome';
import { useStore } from '../store';
import { strings } from '../strings';
import { shown, showPane, type Pane } from './panes';
import { Tabs } from './Tabs';
import tones from './tones.module.css';

function ConsoleLabel() {
    const last = useStore(session.state).runs.at(-1);
    const chip = last && chipOf(last);
    return (
        <>
            {strings.app.console}
            {chip && <span className={tones[chip.tone]}>{chip.word}</span>}
        </>
    );
}

export function PaneTabs() {
    const { pane } = useStore(shown);
    return (
        <Tabs<Pane>
            name="pane"
            label={strings.app.panes}
            tabs={[
                { id: 'code', label: strings.app.code },
                { id: 'console', label: <ConsoleLabel /> },
            ]}
            chosen={pane}
            isWide
            onChoose={showPane}
        />
    );
}

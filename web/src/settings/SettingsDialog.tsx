// What a person can choose for this browser: nobody else sees any of it.
import { Minus, Monitor, Moon, Plus, Sun } from 'lucide-react';
import { Dialog } from '../layers/Dialog';
import { keepsEdits } from '../room/keepsEdits';
import { useStore } from '../store';
import { layerStrings as strings } from '../layerStrings';
import { chooseTheme, themeChoice, type ThemeChoice } from '../ui/theme';
import { changeSettings, FONT_LEAST, FONT_MOST, settings, type Settings } from './settings';
import css from './SettingsDialog.module.css';

const THEMES: [ThemeChoice, typeof Sun][] = [
    ['system', Monitor],
    ['light', Sun],
    ['dark', Moon],
];

function ThemeRow() {
    const chosen = useStore(themeChoice);
    return (
        <fieldset className={css.themes}>
            <legend>{strings.theme.title}</legend>
            <div className={css.segments}>
                {THEMES.map(([id, Icon]) => (
                    <label key={id} className={css.segment}>
                        <input
                            type="radio"
                            name="theme"
                            checked={id === chosen}
                            onChange={() => chooseTheme(id)}
                        />
                        <Icon size={15} aria-hidden="true" />
                        {strings.theme[id]}
                    </label>
                ))}
            </div>
        </fieldset>
    );
}

function FontRow() {
    const { fontSize } = useStore(settings);
    const step = (by: number): void => changeSettings({ fontSize: fontSize + by });
    return (
        <div className={css.row} role="group" aria-label={strings.settings.fontSize}>
            <span>{strings.settings.fontSize}</span>
            <span className={css.stepper}>
                <button
                    type="button"
                    aria-label={strings.settings.smaller}
                    aria-disabled={fontSize <= FONT_LEAST}
                    onClick={() => step(-1)}
                >
                    <Minus size={15} aria-hidden="true" />
                </button>
                <output aria-live="polite">{fontSize}</output>
                <button
                    type="button"
                    aria-label={strings.settings.larger}
                    aria-disabled={fontSize >= FONT_MOST}
                    onClick={() => step(1)}
                >
                    <Plus size={15} aria-hidden="true" />
                </button>
            </span>
        </div>
    );
}

type Switch = Exclude<keyof Settings, 'fontSize'>;

const SWITCHES: readonly Switch[] = ['isWrapped', 'isTabLeaving', 'isStill', 'isOutputRead'];

interface SwitchRowProps {
    words: { label: string; hint: string };
    isOn: boolean;
    onChange(isOn: boolean): void;
}

function SwitchRow({ words, isOn, onChange }: SwitchRowProps) {
    return (
        <label className={css.row}>
            <span>
                {words.label}
                <span className={css.hint}>{words.hint}</span>
            </span>
            <input
                type="checkbox"
                role="switch"
                checked={isOn}
                onChange={(event) => onChange(event.target.checked)}
            />
        </label>
    );
}

export function SettingsDialog() {
    const chosen = useStore(settings);
    const isKeeping = useStore(keepsEdits);
    return (
        <Dialog title={strings.header.settings}>
            <div>
                <ThemeRow />
                <FontRow />
                {SWITCHES.map((name) => (
                    <SwitchRow
                        key={name}
                        words={strings.settings[name]}
                        isOn={chosen[name]}
                        onChange={(isOn) => changeSettings({ [name]: isOn })}
                    />
                ))}
                <SwitchRow
                    words={strings.settings.isKeeping}
                    isOn={isKeeping}
                    onChange={keepsEdits.set}
                />
            </div>
        </Dialog>
    );
}

// How a run went, in a word, an icon and a colour, with what it took.
import {
    Check,
    CircleQuestionMark,
    Clock,
    Hourglass,
    LoaderCircle,
    MemoryStick,
    Square,
    TextCursorInput,
    X,
} from 'lucide-react';
import { chipOf, type ChipRun, type Mark } from '../run/outcome';
import { seconds, size } from '../strings';
import tones from '../ui/tones.module.css';
import css from './StatusChip.module.css';

const ICONS: Record<Mark, typeof Check> = {
    wait: Hourglass,
    spin: LoaderCircle,
    input: TextCursorInput,
    check: Check,
    cross: X,
    clock: Clock,
    memory: MemoryStick,
    stop: Square,
    question: CircleQuestionMark,
};

export function StatusChip({ run }: { run: ChipRun }) {
    const { tone, mark, word } = chipOf(run);
    const Icon = ICONS[mark];
    const { wallMs, memoryBytes } = run.status ?? {};
    const parts = [word];
    if (typeof wallMs === 'number') {
        parts.push(seconds(wallMs));
    }
    if (typeof memoryBytes === 'number' && memoryBytes > 0) {
        parts.push(size(memoryBytes));
    }
    return (
        <span className={`${css.chip} ${tones[tone]}`}>
            <Icon size={13} aria-hidden="true" className={mark === 'spin' ? css.spin : ''} />
            {parts.join(' · ')}
        </span>
    );
}

// What to say about a run: the chip (icon, word, colour) and the sentences under its output.
import type { JobStatus, Limits } from '../api/types';
import { strings } from '../strings';
import type { Run } from './session';

export type Tone = 'ok' | 'error' | 'warning' | 'quiet';
export type Mark =
    'wait' | 'spin' | 'input' | 'check' | 'cross' | 'clock' | 'memory' | 'stop' | 'question';

export interface Chip {
    tone: Tone;
    mark: Mark;
    word: string;
}

export interface Note {
    tone: Tone;
    text: string;
}

/** It was not the program's time that was up. */
function lackedInput(status: JobStatus): boolean {
    return status.error?.code === 'input_timeout';
}

export function titleOf({ isOwn, by }: Run): string {
    return strings.console.title(isOwn ? strings.people.you : by);
}

function failedWord(status: JobStatus): string {
    if (status.error?.code === 'output_limit') {
        return strings.chip.tooMuchOutput;
    }
    if (status.signal) {
        return strings.chip.crashed;
    }
    const code = status.exitCode ?? 1;
    return code === 1 ? strings.chip.error : strings.chip.exit(code);
}

export type ChipRun = Pick<Run, 'phase' | 'status'> & Partial<Pick<Run, 'waitingSince'>>;

export function chipOf(run: ChipRun): Chip {
    switch (run.phase) {
        case 'queued':
            return { tone: 'quiet', mark: 'wait', word: strings.chip.queued };
        case 'running':
            return (run.waitingSince ?? null) === null
                ? { tone: 'quiet', mark: 'spin', word: strings.chip.running }
                : { tone: 'warning', mark: 'input', word: strings.chip.waiting };
        case 'stopping':
            return { tone: 'quiet', mark: 'spin', word: strings.chip.stopping };
        case 'lost':
            return { tone: 'error', mark: 'question', word: strings.chip.lost };
        case 'ended':
            return endChip(run.status!);
    }
}

function endChip(status: JobStatus): Chip {
    switch (status.status) {
        case 'completed':
            return { tone: 'ok', mark: 'check', word: strings.chip.completed };
        case 'timed_out':
            return {
                tone: 'warning',
                mark: 'clock',
                word: lackedInput(status) ? strings.chip.noInput : strings.chip.timedOut,
            };
        case 'out_of_memory':
            return { tone: 'error', mark: 'memory', word: strings.chip.outOfMemory };
        case 'cancelled':
            return { tone: 'quiet', mark: 'stop', word: strings.chip.cancelled };
        case 'failed':
            return { tone: 'error', mark: 'cross', word: failedWord(status) };
        default:
            return { tone: 'error', mark: 'cross', word: strings.chip.server };
    }
}

function endNote(status: JobStatus, limits: Limits | null): Note | null {
    switch (status.status) {
        case 'timed_out':
            return {
                tone: 'warning',
                text: lackedInput(status)
                    ? strings.note.inputTimeout(limits)
                    : strings.note.timedOut(limits),
            };
        case 'out_of_memory':
            return { tone: 'error', text: strings.note.outOfMemory(limits) };
        case 'cancelled': {
            if (status.error?.code === 'stopping') {
                return { tone: 'warning', text: strings.note.stopping };
            }
            const text = hasStarted(status)
                ? strings.note.cancelled
                : strings.note.cancelledQueued;
            return { tone: 'quiet', text };
        }
        case 'failed':
            return { tone: 'quiet', text: failedNote(status) };
        case 'error':
            return { tone: 'error', text: strings.note.server(status.error?.message ?? '') };
        default:
            return null;
    }
}

function hasStarted(status: JobStatus): boolean {
    return typeof status.startedAt === 'number';
}

function failedNote(status: JobStatus): string {
    if (status.error?.code === 'output_limit') {
        return strings.note.outputLimit;
    }
    return status.signal
        ? strings.note.signal(status.signal)
        : strings.note.exit(status.exitCode ?? 1);
}

/** The sentences under a run's output, most important first. */
export function notesOf(run: Run, limits: Limits | null): Note[] {
    if (run.phase === 'lost') {
        return [{ tone: 'error', text: strings.note.lost }];
    }
    const status = run.status;
    if (run.phase !== 'ended' || status === null) {
        return [];
    }
    const notes: Note[] = [];
    const note = endNote(status, limits);
    if (note) {
        notes.push(note);
    }
    if (status.truncated) {
        const dropped = status.droppedBytes ?? 0;
        notes.push({ tone: 'warning', text: strings.note.truncated(limits, dropped) });
    }
    return notes;
}

// What the menu of a run holds.
import { Copy, Download, FileCode, RotateCw } from 'lucide-react';
import { downloadText } from '../editor/download';
import { openedRun } from '../history/openedRun';
import { layerStrings as strings } from '../layerStrings';
import { Menu, MenuItem, MenuLine } from '../layers/Menu';
import { runAgain } from '../page';
import type { Run } from '../run/session';
import { copyText } from '../share/copyText';
import { announce } from '../ui/announcer';
import { goToTab } from '../ui/panes';
import { RunMenuButton } from './RunMenu';
import { textOf } from './trace';

const ICON = { size: 15, 'aria-hidden': true } as const;

function outputOf({ lines }: Run): string {
    return lines.map((line) => `${textOf(line)}\n`).join('');
}

async function copyOutput(run: Run): Promise<void> {
    const field = document.createElement('textarea');
    field.value = outputOf(run);
    document.body.append(field);
    const isCopied = await copyText(field);
    field.remove();
    announce(isCopied ? strings.output.copied : strings.output.notCopied);
}

function showCode({ jobId }: Run): void {
    openedRun.set(jobId);
    goToTab('history');
}

async function again({ jobId }: Run): Promise<void> {
    if (!(await runAgain(jobId))) {
        announce(strings.output.codeGone);
    }
}

export function RunItems({ run }: { run: Run }) {
    const isEmpty = run.lines.length === 0;
    return (
        <Menu button={<RunMenuButton run={run} />} start="open">
            <MenuItem
                icon={<Copy {...ICON} />}
                isDisabled={isEmpty}
                onChoose={() => void copyOutput(run)}
            >
                {strings.output.copy}
            </MenuItem>
            <MenuItem
                icon={<Download {...ICON} />}
                isDisabled={isEmpty}
                onChoose={() => downloadText(strings.output.file, outputOf(run))}
            >
                {strings.output.download}
            </MenuItem>
            <MenuLine />
            <MenuItem icon={<FileCode {...ICON} />} onChoose={() => showCode(run)}>
                {strings.output.code}
            </MenuItem>
            <MenuItem icon={<RotateCw {...ICON} />} onChoose={() => void again(run)}>
                {strings.output.again}
            </MenuItem>
        </Menu>
    );
}

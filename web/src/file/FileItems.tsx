// What the File menu holds.
import { Copy, Download, FileUp, Keyboard, Settings, Volume2 } from 'lucide-react';
import { useRef } from 'react';
import { examples } from '../examples/examples';
import { openDialog } from '../layers/dialogs';
import { Menu, MenuGroup, MenuItem, MenuLine, type MenuStart } from '../layers/Menu';
import { download, duplicate, roomState } from '../page';
import { readLastOutput } from '../run/lastOutput';
import { useStore } from '../store';
import { layerStrings as strings } from '../layerStrings';
import { useLayout } from '../ui/layout';
import { FileButton } from './FileMenu';
import { openFile, replaceProgram } from './replaceProgram';

const ICON = { size: 15, 'aria-hidden': true } as const;

function duplicateOrSay(): void {
    if (!duplicate()) {
        const { duplicate: title, noStorage: text } = strings.file;
        openDialog({ kind: 'notice', title, text });
    }
}

export function FileItems({ start }: { start: MenuStart }) {
    const { hasText } = useStore(roomState);
    const isNarrow = useLayout() === 'single';
    const chooser = useRef<HTMLInputElement>(null);
    return (
        <>
            <Menu button={<FileButton />} start={start}>
                <MenuItem
                    icon={<FileUp {...ICON} />}
                    isDisabled={!hasText}
                    onChoose={() => chooser.current?.click()}
                >
                    {strings.file.open}
                </MenuItem>
                <MenuItem
                    icon={<Download {...ICON} />}
                    keys={strings.file.downloadKeys}
                    isDisabled={!hasText}
                    onChoose={download}
                >
                    {strings.file.download}
                </MenuItem>
                <MenuItem
                    icon={<Copy {...ICON} />}
                    isDisabled={!hasText}
                    onChoose={duplicateOrSay}
                >
                    {strings.file.duplicate}
                </MenuItem>
                <MenuGroup label={strings.file.examples}>
                    {examples.map(({ id, code }) => (
                        <MenuItem
                            key={id}
                            isDisabled={!hasText}
                            onChoose={() => replaceProgram(code, strings.examples[id])}
                        >
                            {strings.examples[id]}
                        </MenuItem>
                    ))}
                </MenuGroup>
                <MenuLine />
                {isNarrow && (
                    <MenuItem
                        icon={<Settings {...ICON} />}
                        onChoose={() => openDialog({ kind: 'settings' })}
                    >
                        {strings.header.settings}
                    </MenuItem>
                )}
                <MenuItem
                    icon={<Keyboard {...ICON} />}
                    keys="?"
                    onChoose={() => openDialog({ kind: 'keys' })}
                >
                    {strings.keys.title}
                </MenuItem>
                <MenuItem icon={<Volume2 {...ICON} />} onChoose={readLastOutput}>
                    {strings.file.readOutput}
                </MenuItem>
            </Menu>
            <input
                ref={chooser}
                type="file"
                accept=".py,.pyw,.txt,text/x-python,text/plain"
                hidden
                aria-label={strings.file.open}
                onChange={({ target }) => {
                    const [file] = target.files ?? [];
                    // So that the same file can be chosen again.
                    target.value = '';
                    if (file) {
                        void openFile(file);
                    }
                }}
            />
        </>
    );
}

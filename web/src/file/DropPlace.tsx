// A file may be dropped anywhere on the page; beside the editor, the browser would leave the page
// for it. While one is over the page, the editor says what will happen.
import { useEffect, useState } from 'react';
import { layerStrings as strings } from '../layerStrings';
import { openFile } from './replaceProgram';
import css from './DropPlace.module.css';

function hasFile({ dataTransfer }: DragEvent): boolean {
    return dataTransfer?.types.includes('Files') ?? false;
}

/** Hears before Monaco does, which would take the drop for text. */
const CAPTURE = { capture: true };

function watchDrops(onOver: (isOver: boolean) => void): () => void {
    const over = (event: DragEvent): void => {
        if (hasFile(event)) {
            event.preventDefault();
            event.stopPropagation();
            onOver(true);
        }
    };
    const leave = (event: DragEvent): void => {
        if (event.relatedTarget === null) {
            onOver(false);
        }
    };
    const drop = (event: DragEvent): void => {
        onOver(false);
        if (hasFile(event)) {
            event.preventDefault();
            event.stopPropagation();
            const file = event.dataTransfer?.files[0];
            if (file) {
                void openFile(file);
            }
        }
    };
    window.addEventListener('dragover', over, CAPTURE);
    window.addEventListener('dragleave', leave, CAPTURE);
    window.addEventListener('drop', drop, CAPTURE);
    return () => {
        window.removeEventListener('dragover', over, CAPTURE);
        window.removeEventListener('dragleave', leave, CAPTURE);
        window.removeEventListener('drop', drop, CAPTURE);
    };
}

export function DropPlace() {
    const [isOver, setOver] = useState(false);
    useEffect(() => watchDrops(setOver), []);
    return isOver && <p className={css.place}>{strings.file.drop}</p>;
}

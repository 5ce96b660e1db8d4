// A dialog over the page: a title, something below it, a way out. The focus goes in, stays, and
// comes back to where it was.
import * as Radix from '@radix-ui/react-dialog';
import { X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { layerStrings as strings } from '../layerStrings';
import { closeDialog, goOn } from './dialogs';
import css from './Dialog.module.css';

interface Props {
    title: string;
    /** Said with the title when the dialog opens. */
    about?: string;
    children?: ReactNode;
}

/** Drawn while it is the open one. */
export function Dialog({ title, about, children }: Props) {
    const [before] = useState(() => document.activeElement);
    const comeBack = (event: Event): void => {
        event.preventDefault();
        if (before instanceof HTMLElement) {
            before.focus();
        }
        goOn();
    };
    return (
        <Radix.Root open onOpenChange={() => closeDialog()}>
            <Radix.Portal>
                <Radix.Overlay className={css.veil} />
                <Radix.Content
                    className={css.box}
                    onCloseAutoFocus={comeBack}
                    {...(about === undefined && { 'aria-describedby': undefined })}
                >
                    <Radix.Title className={css.title}>{title}</Radix.Title>
                    {about !== undefined && (
                        <Radix.Description className={css.about}>{about}</Radix.Description>
                    )}
                    {children}
                    {/* Last, so that the focus begins with what the dialog is about. */}
                    <Radix.Close className={css.close} aria-label={strings.layers.close}>
                        <X size={17} aria-hidden="true" />
                    </Radix.Close>
                </Radix.Content>
            </Radix.Portal>
        </Radix.Root>
    );
}

/** The row of buttons at the end of a dialog. */
export function Choices({ children }: { children: ReactNode }) {
    return <div className={css.choices}>{children}</div>;
}

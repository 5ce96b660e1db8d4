// A button with words, as in dialogs and in the header; `isMain` marks the one that is expected.
import { forwardRef, type ComponentPropsWithoutRef } from 'react';
import css from './Button.module.css';

type Props = ComponentPropsWithoutRef<'button'> & { isMain?: boolean };

export const Button = forwardRef<HTMLButtonElement, Props>(function Button(
    { isMain = false, className = '', ...rest },
    ref,
) {
    const look = `${css.button} ${isMain ? css.main : ''} ${className}`;
    return <button ref={ref} type="button" className={look} {...rest} />;
});

// The link that lets others in: to copy, or to take with a camera.
import { Check, Copy } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { Button } from '../layers/Button';
import { Dialog } from '../layers/Dialog';
import { layerStrings as strings } from '../layerStrings';
import { copyText } from './copyText';
import css from './ShareDialog.module.css';

const QrCode = lazy(async () => {
    const { QRCodeSVG } = await import('qrcode.react');
    return { default: QRCodeSVG };
});

type Copied = 'not yet' | 'copied' | 'selected';

/** How long the button says that it has copied. */
const SAID_MS = 2_000;

function CopyLink() {
    const field = useRef<HTMLInputElement>(null);
    const [copied, setCopied] = useState<Copied>('not yet');

    useEffect(() => {
        if (copied === 'copied') {
            const timer = setTimeout(() => setCopied('not yet'), SAID_MS);
            return () => clearTimeout(timer);
        }
    }, [copied]);

    const copy = async (): Promise<void> => {
        setCopied((await copyText(field.current!)) ? 'copied' : 'selected');
    };
    const Icon = copied === 'copied' ? Check : Copy;
    return (
        <div>
            <div className={css.row}>
                <input
                    ref={field}
                    className={css.field}
                    type="text"
                    readOnly
                    aria-label={strings.share.link}
                    value={location.href}
                    onFocus={(event) => event.target.select()}
                />
                <Button isMain className={css.copy} onClick={() => void copy()}>
                    <Icon size={15} aria-hidden="true" />
                    {copied === 'copied' ? strings.share.copied : strings.share.copy}
                </Button>
            </div>
            <p className={css.hint} role="status">
                {copied === 'copied' && (
                    <span className="visually-hidden">{strings.share.copied}</span>
                )}
                {copied === 'selected' && strings.share.selected}
            </p>
        </div>
    );
}

export function ShareDialog() {
    return (
        <Dialog title={strings.header.shareRoom} about={strings.share.about}>
            <CopyLink />
            <figure className={css.code}>
                <Suspense fallback={<div className={css.square} />}>
                    <QrCode
                        className={css.square}
                        value={location.href}
                        title={strings.share.qr}
                        fgColor="currentColor"
                        bgColor="transparent"
                    />
                </Suspense>
                <figcaption>{strings.share.qrHint}</figcaption>
            </figure>
        </Dialog>
    );
}

// Whether the person at this page has turned to something else.
import { Store } from '../store';

const IDLE_MS = 2 * 60 * 1000;
const SIGNS_OF_LIFE = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'focus'];

export const isIdle = new Store(false);

/** Returns a function that stops watching. */
export function watchIdle(): () => void {
    let lastSign = Date.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
        const left = lastSign + IDLE_MS - Date.now();
        isIdle.set(left <= 0);
        if (left > 0) {
            timer = setTimeout(look, left);
        }
    };
    const onSign = (): void => {
        lastSign = Date.now();
        if (isIdle.get()) {
            look();
        }
    };
    look();
    SIGNS_OF_LIFE.forEach((sign) => window.addEventListener(sign, onSign, { capture: true }));
    return () => {
        clearTimeout(timer);
        SIGNS_OF_LIFE.forEach((sign) => window.removeEventListener(sign, onSign, true));
    };
}

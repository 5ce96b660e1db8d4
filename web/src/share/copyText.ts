// Puts a text into the clipboard. Plain http pages have no navigator.clipboard; there the browser
// copies what is selected in a field.

/** Returns whether it is there; if not, the field is left selected for the person's own keys. */
export async function copyText(
    field: HTMLInputElement | HTMLTextAreaElement,
): Promise<boolean> {
    try {
        await navigator.clipboard.writeText(field.value);
        return true;
    } catch {
        field.focus();
        field.select();
        return document.execCommand('copy');
    }
}

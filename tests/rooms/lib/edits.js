// Random edits of all types, made from a seed. Each word that is put in carries a tag of its own, so
// that whatever came in twice is found.
import * as Y from 'yjs';

export { random } from '../../bench/engine_lib/bytes.js';

// What every document of a room is made of.
export const roots = (doc) => ({
    t: doc.getText('t'),
    a: doc.getArray('a'),
    m: doc.getMap('m'),
    x: doc.getXmlFragment('x'),
});

// The next index from `at` on that is not in the middle of a character: where one replica cuts a
// surrogate pair and another does not, Yjs itself lets them differ for good.
function boundary(text, at) {
    const units = text
        .toDelta()
        .map(({ insert }) => (typeof insert === 'string' ? insert : '.'))
        .join('');
    const unit = units.charCodeAt(at);
    return unit >= 0xdc00 && unit <= 0xdfff ? at + 1 : at;
}

// The editor of one room: `edit(doc)` changes something in it.
export function editor(r) {
    const KEYS = ['k', 'key', 'ключ'];
    const ATTRIBUTES = [{ bold: true }, { bold: null }, { color: 'red' }];
    const SPICE = ['', '', 'ä', '日本', '😀', '\n'];
    let words = 0;

    // "#12.k3x9;": the number makes it the only one, the rest keeps pieces of two others from
    // looking like it.
    function word() {
        words += 1;
        const noise = r
            .below(36 ** 4)
            .toString(36)
            .padStart(4, '0');
        return `${r.pick(SPICE)}#${words.toString(36)}.${noise};`;
    }

    function value() {
        return r.pick([
            () => word(),
            () => ({ deep: [word(), null, 1.5] }),
            () => r.below(1000),
            () => new Y.Text(word()),
            () => new Y.Map([['in', word()]]),
            () => new Y.Array(),
        ])();
    }

    function editText(text) {
        const at = boundary(text, r.below(text.length + 1));
        const rest = text.length - at;
        const some = (most) => boundary(text, at + 1 + r.below(Math.min(rest, most))) - at;
        if (rest > 0 && r.chance(0.3)) text.delete(at, some(8));
        else if (rest > 0 && r.chance(0.15)) text.format(at, some(20), r.pick(ATTRIBUTES));
        else if (r.chance(0.05)) text.insertEmbed(at, { image: word() });
        else text.insert(at, word());
    }

    function editArray(array) {
        const at = r.below(array.length + 1);
        const rest = array.length - at;
        if (rest > 0 && r.chance(0.35)) array.delete(at, 1 + r.below(Math.min(rest, 3)));
        else array.insert(at, r.chance(0.3) ? [word(), word()] : [value()]);
    }

    function editMap(map) {
        const key = r.pick(KEYS);
        if (r.chance(0.25)) map.delete(key);
        else map.set(key, value());
    }

    function editXml(xml) {
        const at = r.below(xml.length + 1);
        if (xml instanceof Y.XmlElement && r.chance(0.3)) xml.setAttribute('class', word());
        else if (xml.length > at && r.chance(0.3)) xml.delete(at, 1);
        else xml.insert(at, [r.chance(0.5) ? new Y.XmlElement('b') : new Y.XmlText(word())]);
    }

    // All lists and maps of a document that are there to be edited.
    function places(doc) {
        const found = Object.values(roots(doc));
        for (let i = 0; i < found.length; i++) {
            const inner = [];
            if (found[i] instanceof Y.Map) inner.push(...found[i].values());
            else if (!(found[i] instanceof Y.Text)) inner.push(...found[i].toArray());
            found.push(...inner.filter((child) => child instanceof Y.AbstractType));
        }
        return found;
    }

    function edit(doc) {
        const place = r.chance(0.5) ? doc.getText('t') : r.pick(places(doc));
        if (place instanceof Y.Text) editText(place);
        else if (place instanceof Y.Array) editArray(place);
        else if (place instanceof Y.Map) editMap(place);
        else editXml(place);
    }

    return { word, edit };
}

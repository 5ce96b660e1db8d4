// Holds the built page to its size budget. "Frame" is all the JavaScript that is needed before the
// first paint: the page's own start with the header and the status bar, React, and what these
// import. "First" is everything until the editor can be typed in (its worker comes after that):
// the frame, and what index.html asks for with a low priority.
import { readFileSync, statSync } from 'node:fs';

const DIST = new URL('../dist/', import.meta.url);
const html = readFileSync(new URL('index.html', DIST), 'utf8');

const scripts = [
    ...html.matchAll(/<(?:script|link)\b[^>]*?(?:src|href)="\/([^"]+\.js)"[^>]*>/g),
];
const isLate = (tag) => tag.includes('fetchpriority="low"');
const first = scripts.map(([tag, path]) => ({ path, late: isLate(tag) }));
const frame = first.filter(({ late }) => !late);

const kilobytes = (files, suffix) =>
    files.reduce((sum, { path }) => sum + statSync(new URL(path + suffix, DIST)).size, 0) /
    1000;

const budget = [
    ['frame, gzip', kilobytes(frame, '.gz'), 60],
    ['first JS, gzip', kilobytes(first, '.gz'), 900],
    ['first JS, brotli', kilobytes(first, '.br'), 720],
];

let isWithin = first.length > frame.length && frame.length > 0;
if (!isWithin) {
    console.error('index.html does not name both the frame and the editor');
}
for (const [what, size, limit] of budget) {
    const fits = size <= limit;
    isWithin &&= fits;
    console.log(`${fits ? 'ok  ' : 'OVER'} ${what}: ${size.toFixed(1)} of ${limit} KB`);
}
process.exit(isWithin ? 0 : 1);

// The stored cases (see make_cases.js): [{name, updates, expected}].
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const FOLDER = path.join(__dirname, 'cases');

function readCase(name) {
    const file = (leaf) => path.join(FOLDER, name, leaf);
    const updates = [];
    while (fs.existsSync(file(`${updates.length}.bin`)))
        updates.push(fs.readFileSync(file(`${updates.length}.bin`)));
    return { name, updates, expected: JSON.parse(fs.readFileSync(file('expected.json'), 'utf8')) };
}

const readCases = () => fs.readdirSync(FOLDER).sort().map(readCase);

module.exports = { FOLDER, readCases };

// Reading CloudFormation templates: the short forms of their functions become the long ones.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
export const AWS = `${ROOT}deploy/aws/`;

const isPlain = new Set(['Ref', 'Condition']);

function tag(name, collection) {
    const key = isPlain.has(name) ? name : `Fn::${name}`;
    return {
        tag: `!${name}`,
        collection,
        resolve: (value) => ({ [key]: collection ? value.toJSON() : value }),
    };
}

const customTags = [
    ...['Ref', 'Sub', 'GetAtt', 'Condition'].map((name) => tag(name)),
    ...['If', 'Equals', 'Not', 'And', 'Or', 'Join', 'Select'].map((name) => tag(name, 'seq')),
];

export function readTemplate(name) {
    return parse(readFileSync(AWS + name, 'utf8'), { customTags });
}

// The file that the server gets, before AWS replaces what is in `${}`.
export function userData(template) {
    return template.Resources.Machine.Properties.LaunchTemplateData.UserData['Fn::Base64'][
        'Fn::Sub'
    ];
}

// The resources that NAME waits for, given which conditions are true: by DependsOn, Ref, Fn::GetAtt
// and Fn::Sub, directly or through others.
export function waitsFor(template, name, conditions, seen = new Set()) {
    const resource = template.Resources[name];
    const named = [].concat(resource.DependsOn ?? []);
    collect(resource.Properties);
    for (const other of named) {
        const next = template.Resources[other];
        const exists = next && (!next.Condition || conditions[next.Condition]);
        if (exists && !seen.has(other)) {
            seen.add(other);
            waitsFor(template, other, conditions, seen);
        }
    }
    return seen;

    function collect(value) {
        if (Array.isArray(value)) {
            value.forEach(collect);
        } else if (value && typeof value === 'object') {
            for (const [key, inner] of Object.entries(value)) {
                if (key === 'Ref') {
                    named.push(inner);
                } else if (key === 'Fn::GetAtt') {
                    named.push(String(inner).split('.')[0]);
                } else if (key === 'Fn::Sub') {
                    named.push(...[...inner.matchAll(/\$\{(\w+)/g)].map((match) => match[1]));
                } else if (key === 'Fn::If') {
                    collect(conditions[inner[0]] ? inner[1] : inner[2]);
                } else {
                    collect(inner);
                }
            }
        }
    }
}

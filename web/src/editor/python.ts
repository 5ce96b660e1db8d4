// Python's colours. Monaco's own grammar calls every built-in a keyword and knows no names of
// functions; this takes its rules for strings, numbers and layout, and tells names apart.
import { conf, language } from 'monaco-editor/esm/vs/basic-languages/python/python.js';
import { monaco } from './monaco';

const KEYWORDS =
    'False None True and as assert async await break case class continue def del elif else ' +
    'except finally for from global if import in is lambda match nonlocal not or pass raise ' +
    'return try while with yield';

const BUILTINS =
    'abs aiter all anext any ascii bin breakpoint bytes callable chr classmethod compile ' +
    'delattr dir divmod enumerate eval exec filter format getattr globals hasattr hash help hex ' +
    'id input isinstance issubclass iter len locals map max memoryview min next oct open ord ' +
    'pow print property range repr reversed round setattr slice sorted staticmethod sum super ' +
    'vars zip';

const TYPES = 'bool bytearray complex dict float frozenset int list object set str tuple type';

const NAME = /[A-Za-z_]\w*/;

/** The rules of Monaco's grammar but the last, which takes every name. */
const inherited = (language.tokenizer.root ?? []).slice(0, -1);

export function registerPython(): void {
    monaco.languages.register({ id: 'python', extensions: ['.py'] });
    monaco.languages.setLanguageConfiguration('python', conf);
    monaco.languages.setMonarchTokensProvider('python', {
        ...language,
        keywords: KEYWORDS.split(' '),
        builtins: BUILTINS.split(' '),
        types: TYPES.split(' '),
        tokenizer: {
            ...language.tokenizer,
            root: [
                [/(def)(\s+)([A-Za-z_]\w*)/, ['keyword', 'white', 'function']],
                [/(class)(\s+)([A-Za-z_]\w*)/, ['keyword', 'white', 'type']],
                [/(\.)([A-Za-z_]\w*)/, ['delimiter', 'identifier']],
                ...inherited,
                [
                    NAME,
                    {
                        cases: {
                            '@keywords': 'keyword',
                            '@builtins': 'function',
                            '@types': 'type',
                            '@default': 'identifier',
                        },
                    },
                ],
            ],
        },
    });
}

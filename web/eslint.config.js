import js from '@eslint/js';
import a11y from 'eslint-plugin-jsx-a11y';
import hooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import ts from 'typescript-eslint';

export default ts.config(
    { ignores: ['dist'] },
    js.configs.recommended,
    ts.configs.recommended,
    {
        files: ['src/**/*.{ts,tsx}'],
        extends: [hooks.configs.flat['recommended-latest'], a11y.flatConfigs.strict],
        languageOptions: { globals: globals.browser },
    },
    {
        files: ['src/ui/firstPaint.js'],
        languageOptions: { globals: globals.browser, sourceType: 'script' },
    },
    { files: ['build/**', '*.config.*'], languageOptions: { globals: globals.node } },
);

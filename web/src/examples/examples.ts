// Programs to begin with. Each shows one thing of Python and one of this page, and ends by itself.
import guess from './guess.py?raw';
import hello from './hello.py?raw';
import life from './life.py?raw';
import mistake from './mistake.py?raw';
import picture from './picture.py?raw';
import progress from './progress.py?raw';

/** strings.examples has a name for each. */
export type ExampleId = 'hello' | 'picture' | 'guess' | 'mistake' | 'progress' | 'life';

export interface Example {
    id: ExampleId;
    code: string;
}

export const examples: readonly Example[] = [
    { id: 'hello', code: hello },
    { id: 'picture', code: picture },
    { id: 'guess', code: guess },
    { id: 'mistake', code: mistake },
    { id: 'progress', code: progress },
    { id: 'life', code: life },
];

/** The ones to offer in an empty room. */
export const FIRST_EXAMPLES = examples.slice(0, 3);

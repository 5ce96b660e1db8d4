// Whether the people's layer is open, and whether it was opened to change the own name.
import { Store } from '../store';

export type PeopleLayer = 'closed' | 'open' | 'naming';

export const peopleLayer = new Store<PeopleLayer>('closed');

// The run whose code the History tab shows, by its job's id; null: it shows the list.
import { Store } from '../store';

export const openedRun = new Store<string | null>(null);

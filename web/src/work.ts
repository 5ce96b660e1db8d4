// All that comes right after the first paint, in one chunk: every file is asked for over a connection
// of its own, and many small ones would wait for each other.
export { People } from './people/People';
export { Welcome } from './people/Welcome';
export { giveWay, me } from './room/me';
export { openSession } from './run/openSession';
export { PaneTabs } from './ui/PaneTabs';
export { WorkPane } from './ui/WorkPane';

/** Apart, because of Yjs. */
export const loadRoom = () => import('./room/room');

/** Later still: once the editor is there, or when they are asked for. */
export const loadDialogs = () => import('./layers/DialogBox');
export const loadFileItems = () => import('./file/FileItems');
export const loadRunItems = () => import('./console/RunItems');

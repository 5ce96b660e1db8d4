// An editor put together as the tutorials of its parts do it: Monaco, a Yjs text, y-websocket and
// y-monaco, and nothing against what goes wrong between them. The tests show with it that each of
// those things does go wrong, and so that what they ask of the page is not idle.
import * as monaco from 'monaco-editor/esm/vs/editor/editor.api.js';
import 'monaco-editor/esm/vs/editor/browser/coreCommands.js';
import { MonacoBinding } from 'y-monaco';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

function mount(place, roomId) {
    const doc = new Y.Doc();
    const text = doc.getText('monaco');
    const address = `${location.origin.replace(/^http/, 'ws')}/collab`;
    const provider = new WebsocketProvider(address, roomId, doc);
    const editor = monaco.editor.create(place, {
        language: 'plaintext',
        minimap: { enabled: false },
    });
    const model = editor.getModel();
    new MonacoBinding(text, model, new Set([editor]), provider.awareness);
    provider.awareness.setLocalStateField('user', { name: 'Plain' });
    const style = document.head.appendChild(document.createElement('style'));
    provider.awareness.on('change', () => {
        style.textContent = [...provider.awareness.getStates()]
            .map(([client, { user }]) => {
                const head = `.yRemoteSelectionHead-${client}`;
                return `${head}::after { content: "${user?.name}" }`;
            })
            .join('\n');
    });
    return { model };
}

const options = new URLSearchParams(location.search);
const place = document.querySelector('#editor');
for (let mounted = 0; mounted < Number(options.get('mounts') ?? 1); mounted++) {
    window.plain = mount(place, options.get('room'));
}

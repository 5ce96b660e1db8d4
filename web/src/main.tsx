// Where the page starts.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './ui/fonts.css';
import './ui/tokens.css';
import './ui/base.css';
import { enterRoom, server } from './page';
import { watchMotion } from './settings/settings';
import { App } from './ui/App';
import { watchSeenHeight } from './ui/seenHeight';
import { watchTheme } from './ui/theme';

watchTheme();
watchMotion();
watchSeenHeight();
server.watch();
void enterRoom();

createRoot(document.getElementById('root')!).render(
    <StrictMode>
        <App />
    </StrictMode>,
);

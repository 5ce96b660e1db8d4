// Hocuspocus as it comes, without a store, on a free port of loopback that it prints.
import { Server } from '@hocuspocus/server';

const server = new Server({ address: '127.0.0.1', port: 0, quiet: true });
await server.listen();
console.log(`port=${server.httpServer.address().port}`);

// The peer: an echo on bare node:net, as its documentation shows it.
import { createServer } from 'node:net';
import { tellMemory } from './tell-memory.mjs';

const server = createServer((socket) => {
  socket.on('data', (chunk) => {
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => {});
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => console.log(`port ${server.address().port}`));
tellMemory();

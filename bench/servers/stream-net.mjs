// The peer: an echo on bare node:net, as its documentation shows it. `node stream-net.mjs [PROCESSES]`: more than one
// accept from the same socket, which is the least that several processes can cost.
import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import { tellMemory } from './tell-memory.mjs';

const echo = (socket) => {
  socket.on('data', (chunk) => {
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => {});
};

tellMemory();
if (process.argv[2] === 'child') {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (_, server) => {
    server.on('connection', echo);
    process.send('listening');
  });
} else {
  const processes = Number(process.argv[2] ?? 1);
  const server = createServer(processes > 1 ? undefined : echo);
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
    const { port } = server.address();
    if (processes === 1) {
      console.log(`port ${port}`);
      return;
    }
    let listening = 0;
    for (let index = 0; index < processes; index += 1) {
      const child = fork(import.meta.filename, ['child']);
      child.send('listen', server);
      child.once('message', () => {
        listening += 1;
        if (listening < processes) return;
        // Only the children accept.
        server.close();
        console.log(`port ${port}`);
      });
    }
  });
  process.on('SIGTERM', () => process.exit(0));
}

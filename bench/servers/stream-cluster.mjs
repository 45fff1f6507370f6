// The peer: the same echo under node:cluster as it comes. `node stream-cluster.mjs WORKERS`.
import cluster from 'node:cluster';
import { createServer } from 'node:net';

const workers = Number(process.argv[2] ?? 1);
if (cluster.isPrimary) {
  let listening = 0;
  for (let index = 0; index < workers; index += 1) {
    cluster.fork().on('listening', ({ port }) => {
      listening += 1;
      if (listening === workers) console.log(`port ${port}`);
    });
  }
  process.on('SIGTERM', () => process.exit(0));
} else {
  createServer((socket) => {
    socket.on('data', (chunk) => {
      if (!socket.write(chunk)) socket.pause();
    });
    socket.on('drain', () => socket.resume());
    socket.on('error', () => {});
  }).listen({ port: 0, host: '127.0.0.1', backlog: 1024 });
}

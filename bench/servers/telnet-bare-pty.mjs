// What Node itself costs: a program on a pseudo-terminal, its output piped to the socket, and no telnet.
import { createRequire } from 'node:module';
import { createServer } from 'node:net';

const { spawn } = createRequire(import.meta.resolve('@wellknown/telnet'))('@lydell/node-pty');

const server = createServer((socket) => {
  const terminal = spawn(process.argv[2], [], { name: 'xterm', cols: 80, rows: 24, encoding: null });
  terminal._socket.pipe(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => terminal.kill());
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));

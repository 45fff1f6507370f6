// Sends chunks of 64 KiB over 4 connections, each with two in flight, until COUNT have come back: `node echo-chunks.mjs
// PORT COUNT`. Prints how many came back.
import { connect } from 'node:net';

const CHUNK = Buffer.alloc(65_536, 'x');
const CONNECTIONS = 4;
const [port, count] = process.argv.slice(2).map(Number);
let done = 0;
for (let index = 0; index < CONNECTIONS; index += 1) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let received = 0;
  let answered = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
    while (received >= (answered + 1) * CHUNK.length) {
      answered += 1;
      done += 1;
      if (done === count) {
        console.log(done);
        process.exit(0);
      }
      socket.write(CHUNK);
    }
  });
  socket.write(CHUNK);
  socket.write(CHUNK);
}

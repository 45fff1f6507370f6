// Connects, sends five bytes, waits for them, closes; 32 at a time until COUNT are done: `node connect-echo-close.mjs
// PORT COUNT`. Prints how many came back.
import { connect } from 'node:net';

const [port, count] = process.argv.slice(2).map(Number);
let begun = 0;
let done = 0;
let closed = 0;
const next = () => {
  if (begun === count) return;
  begun += 1;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write('hello');
  socket.once('data', () => {
    done += 1;
    socket.end();
  });
  socket.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  socket.on('close', () => {
    closed += 1;
    if (closed === count) console.log(done);
    next();
  });
};
for (let index = 0; index < 32; index += 1) next();

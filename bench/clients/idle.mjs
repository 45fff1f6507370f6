// Opens COUNT connections that say five bytes, wait for the echo, and stay: `node idle.mjs PORT COUNT ADDRESS`, from
// that address of 127.0.0.0/8, each of which has ports of its own: 20 000 are used at most. Prints `open` when all are.
// Ends when its standard input does.
import { connect } from 'node:net';
import { setImmediate } from 'node:timers';

// Below those that the kernel gives away.
const FIRST_PORT = 10_000;
const [port, count] = process.argv.slice(2, 4).map(Number);
const localAddress = process.argv[4];
let begun = 0;
let open = 0;
const sockets = [];
const next = () => {
  if (begun === count) return;
  // The kernel would search longer and longer for a port.
  const localPort = FIRST_PORT + begun;
  begun += 1;
  const socket = connect({ port, host: '127.0.0.1', localAddress, localPort });
  sockets.push(socket);
  socket.write('hello');
  socket.once('data', () => {
    open += 1;
    if (open === count) console.log('open');
    next();
  });
  socket.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
};
for (let index = 0; index < 64; index += 1) next();
// A reset leaves no address in TIME_WAIT, so the next run has its ports.
process.stdin.resume().on('end', () => {
  for (const socket of sockets) socket.resetAndDestroy();
  setImmediate(() => process.exit(0));
});

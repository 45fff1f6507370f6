// Keeps 64 datagrams in flight until COUNT have come back: `node datagrams.mjs PORT COUNT`. Prints how many came.
import { createSocket } from 'node:dgram';

const [port, count] = process.argv.slice(2).map(Number);
const message = Buffer.alloc(64, 'x');
const socket = createSocket('udp4');
let received = 0;
let sent = 0;
let lastSeen = 0;
const send = () => {
  sent += 1;
  socket.send(message);
};
socket.on('message', () => {
  received += 1;
  if (received >= count) finish();
  else send();
});
// A lost datagram would shrink the window for ever: refill it when nothing has moved.
const refill = setInterval(() => {
  if (received === lastSeen) for (let index = 0; index < 64; index += 1) send();
  lastSeen = received;
}, 200);
const finish = () => {
  clearInterval(refill);
  socket.close();
  console.log(received);
};
socket.connect(port, '127.0.0.1', () => {
  for (let index = 0; index < 64; index += 1) send();
});

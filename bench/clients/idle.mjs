// Opens COUNT connections that say five bytes, wait for the echo, and stay: `node idle.mjs PORT COUNT`. Prints `open` when all are.
// Ends when its standard input does. Source addresses of 127.0.0.0/8 give each 20 000 connections ports of their own.
import { connect } from 'node:net';

const PER_ADDRESS = 20_000;
const [port, count] = process.argv.slice(2).map(Number);
let begun = 0;
let open = 0;
const next = () => {
  if (begun === count) return;
  const localAddress = begun < PER_ADDRESS ? undefined : `127.0.0.${1 + Math.floor(begun / PER_ADDRESS)}`;
  begun += 1;
  const socket = connect({ port, host: '127.0.0.1', localAddress });
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
process.stdin.resume().on('end', () => process.exit(0));

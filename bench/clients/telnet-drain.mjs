// A telnet client that agrees to what a terminal in character mode agrees to, and takes what comes between the marks
// BEGIN and END of a program. Prints the milliseconds and the bytes; then waits for a line, so that the server can be
// looked at, and leaves.
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';

const socket = connect(Number(process.argv[2]), '127.0.0.1');
let negotiating = true;
let head = '';
let begunAt = 0;
let bytes = 0;

/** Answers every option in `text`: TTYPE and its kin are refused, what the server does is agreed to. */
function answer(text) {
  for (const [, verb, option] of text.matchAll(/\xff([\xfb-\xfe])([^])/g)) {
    const reply = { '\xfb': '\xfd', '\xfc': '\xfe', '\xfd': '\xfc', '\xfe': '\xfc' }[verb];
    socket.write(`\xff${reply}${option}`, 'latin1');
  }
}

socket.on('data', (chunk) => {
  if (negotiating) {
    const text = chunk.toString('latin1');
    answer(text);
    head += text;
    const at = head.indexOf('BEGIN\r\n');
    if (at < 0) return;
    negotiating = false;
    console.log('begun');
    bytes = head.length - at;
    return;
  }
  begunAt ||= performance.now();
  bytes += chunk.length;
  if (!chunk.subarray(-16).includes('END\r\n')) return;
  console.log(`took ${performance.now() - begunAt} ms bytes ${bytes}`);
});
process.stdin.once('data', () => {
  socket.destroy();
  process.stdin.unref();
});

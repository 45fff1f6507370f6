// `ftp-load.mjs PORT WHAT COUNT`: speaks FTP as fast as one session can, and prints how many operations were answered.

import net from 'node:net';
import process from 'node:process';

const [port, what, count] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];
const CHUNK = Buffer.alloc(256 * 1024, 'abcdefgh');

async function open() {
  const socket = net.connect(port, '127.0.0.1').setNoDelay(true);
  let text = '';
  let look = () => undefined;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    look();
  });
  const hear = () =>
    new Promise((resolve) => {
      look = () => {
        const match = /^\d{3} [^\n]*\n/m.exec(text);
        if (match === null) return;
        text = text.slice(match.index + match[0].length);
        resolve(match[0]);
      };
      look();
    });
  const say = (line) => {
    socket.write(`${line}\r\n`);
    return hear();
  };
  await hear();
  await say('USER anonymous');
  const answer = await say('PASS x');
  if (!answer.startsWith('230')) throw new Error(answer);
  return { socket, hear, say };
}

async function transfer(session, line, bytes) {
  const answer = await session.say('EPSV');
  const data = net.connect(Number(/\|(\d+)\|/.exec(answer)[1]), '127.0.0.1');
  const closed = new Promise((resolve) => data.once('close', resolve));
  const reply = session.say(line);
  if (bytes === undefined) data.resume();
  else {
    await new Promise((resolve) => data.once('connect', resolve));
    await reply;
    for (let left = bytes; left > 0; left -= CHUNK.length) {
      if (!data.write(left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left)))
        await new Promise((resolve) => data.once('drain', resolve));
    }
    data.end();
    data.resume();
  }
  const first = await reply;
  if (!first.startsWith('1')) throw new Error(first);
  const last = await session.hear();
  if (!last.startsWith('226')) throw new Error(last);
  await closed;
}

if (what === 'login') {
  for (let turn = 0; turn < count; turn += 1) {
    const session = await open();
    await session.say('QUIT');
    session.socket.destroy();
  }
} else {
  const session = await open();
  await session.say('TYPE I');
  for (let turn = 0; turn < count; turn += 1) {
    if (what === 'noop') await session.say('NOOP');
    else if (what === 'retr') await transfer(session, 'RETR big');
    else if (what === 'stor') await transfer(session, 'STOR in/big', 1024 ** 3);
    else if (what === 'small-retr') await transfer(session, 'RETR small');
    else if (what === 'small-stor') await transfer(session, `STOR in/small${turn % 100}`, 4096);
    else await transfer(session, `${what.toUpperCase()} many`);
  }
  session.socket.destroy();
}
process.stdout.write(`${count}\n`);

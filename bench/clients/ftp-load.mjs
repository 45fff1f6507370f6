// `ftp-load.mjs ADDRESS PORT WHAT COUNT [BYTES]`: speaks FTP as fast as one session can, and prints how many operations were
// answered. An upload has so many bytes, and a name that is new or, with `small-stor-over`, used again; with
// `small-stor-allo` it is announced. With WHAT beginning with `tls-` everything goes over TLS; what is behind a size (`retr-64m`) does not matter.

import net from 'node:net';
import process from 'node:process';
import tls from 'node:tls';

const [, , address, port, wanted, count, bytes = '0'] = process.argv;
const isPrivate = wanted.startsWith('tls-');
const what = wanted.replace('tls-', '').replace(/-\d+m$/, '');
const uploadBytes = Number(bytes);
const CHUNK = Buffer.alloc(256 * 1024, 'abcdefgh');

/** The certificate is the bench's own. */
const secured = (socket) =>
  new Promise((resolve, reject) => {
    const secure = tls.connect({ socket, rejectUnauthorized: false }, () => resolve(secure)).once('error', reject);
  });

async function open() {
  let socket = net.connect(port, address).setNoDelay(true);
  let text = '';
  let look = () => undefined;
  const heard = (chunk) => {
    text += chunk.toString('latin1');
    look();
  };
  socket.on('data', heard);
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
  if (isPrivate) {
    await say('AUTH TLS');
    socket.off('data', heard);
    socket = await secured(socket);
    socket.on('data', heard);
  }
  await say('USER anonymous');
  const answer = await say('PASS x');
  // ftp-srv has let anonymous in before, and says so.
  if (!/^(230|202)/.test(answer)) throw new Error(answer);
  if (isPrivate) {
    await say('PBSZ 0');
    await say('PROT P');
  }
  return { socket, hear, say };
}

async function transfer(session, line, bytes) {
  const answer = await session.say('EPSV');
  const plain = net.connect(Number(/\|(\d+)\|/.exec(answer)[1]), address);
  const connected = new Promise((resolve) => plain.once('connect', resolve));
  const reply = session.say(line);
  // Before its answer a server may not begin with the handshake.
  if (isPrivate) await reply;
  const data = isPrivate ? await connected.then(() => secured(plain)) : plain;
  const closed = new Promise((resolve) => data.once('close', resolve));
  if (bytes === undefined) data.resume();
  else {
    await connected;
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
} else if (what === 'idle') {
  const sessions = [];
  while (sessions.length < count) {
    const some = Math.min(50, count - sessions.length);
    sessions.push(...(await Promise.all(Array.from({ length: some }, open))));
  }
  process.stdout.write('open\n');
  await new Promise((resolve) => process.stdin.once('end', resolve).resume());
  // A server that has ended first is no fault.
  for (const { socket } of sessions) socket.on('error', () => undefined).resetAndDestroy();
} else {
  const session = await open();
  await session.say('TYPE I');
  for (let turn = 0; turn < count; turn += 1) {
    if (what === 'noop') await session.say('NOOP');
    else if (what === 'retr') await transfer(session, 'RETR big');
    else if (what === 'stor') await transfer(session, 'STOR in/big', uploadBytes);
    else if (what === 'small-retr') await transfer(session, 'RETR small');
    else if (what === 'small-stor-over') await transfer(session, `STOR in/over${turn % 100}`, uploadBytes);
    else if (what.startsWith('small-stor')) {
      if (what.endsWith('-allo')) await session.say(`ALLO ${uploadBytes}`);
      await transfer(session, `STOR in/${process.pid}-${turn}`, uploadBytes);
    } else await transfer(session, `${what.toUpperCase()} many`);
  }
  session.socket.destroy();
}
process.stdout.write(`${count}\n`);

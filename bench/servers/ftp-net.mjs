// The floor of FTP on Node: `net` and `fs` alone, which answer what the load says and check nothing. `ftp-net.mjs ADDRESS ROOT`.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';

const [, , address, root] = process.argv;
const BUFFER = Buffer.allocUnsafeSlow(512 * 1024);

/** Reads into one buffer, writes it, and reads the next when the kernel has taken it. */
function send(data, name, done) {
  const file = fs.openSync(path.join(root, name));
  const next = () => {
    const length = fs.readSync(file, BUFFER, 0, BUFFER.length, null);
    if (length > 0) data.write(length < BUFFER.length ? BUFFER.subarray(0, length) : BUFFER, next);
    else {
      fs.closeSync(file);
      data.end();
      done();
    }
  };
  next();
}

/** Writes each chunk when it comes. */
function store(data, name, done) {
  const file = fs.openSync(path.join(root, `${name}.part`), 'w');
  data.on('data', (chunk) => fs.writeSync(file, chunk));
  data.on('end', () => {
    fs.closeSync(file);
    fs.renameSync(path.join(root, `${name}.part`), path.join(root, name));
    data.end();
    done();
  });
}

const FIXED = { USER: '331 ok', PASS: '230 ok', TYPE: '200 ok', NOOP: '200 ok' };

const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (control) => {
  let waiting;
  let text = '';
  const say = (line) => control.write(`${line}\r\n`, 'latin1');
  const transfer = async (verb, name) => {
    say('150 ok');
    const data = await waiting;
    (verb === 'RETR' ? send : store)(data, name, () => say('226 ok'));
  };
  const answer = (verb, argument) => {
    if (verb === 'EPSV') {
      waiting = new Promise((resolve) => {
        const listener = net.createServer({ noDelay: true, allowHalfOpen: true }, (data) => {
          listener.close();
          data.on('error', () => undefined);
          resolve(data);
        });
        listener.listen(0, address, 1, () => say(`229 ok (|||${listener.address().port}|)`));
      });
    } else if (verb === 'RETR' || verb === 'STOR') void transfer(verb, argument);
    else if (verb === 'QUIT') control.end('221 ok\r\n');
    else say(FIXED[verb] ?? '500 no');
  };
  control.on('error', () => undefined);
  control.on('end', () => control.end());
  control.on('data', (chunk) => {
    text += chunk.latin1Slice();
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      answer(line.slice(0, 4), line.slice(5));
    }
  });
  say('220 ok');
});
server.listen(0, address, () => console.log(`port ${server.address().port}`));
process.on('SIGTERM', () => process.exit());

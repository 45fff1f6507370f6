// Listening on a unix path: whose name it may take, and what it leaves behind.

import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createServer, defineProtocol, type Server, type ServerOptions } from '../../src/index.ts';
import { explainBindFailure } from '../../src/listener/bind-failure.ts';
import { bindListener } from '../../src/listener/listener.ts';
import { connectClient, eventually, lacks } from '../../src/testing/index.ts';

const echo = defineProtocol({
  name: 'echo',
  port: 7,
  open: (connection) => ({ data: (chunk) => void connection.send(Buffer.from(chunk)) }),
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

const folder = (): string => mkdtempSync(path.join(tmpdir(), 'wellknown-'));

async function serveOn(file: string, options: ServerOptions = {}): Promise<Server> {
  const server = createServer({ protocol: echo, listen: `unix:${file}` }, options);
  closing.push(() => server.close({ graceMs: 0 }));
  await server.listen();
  return server;
}

async function isServed(file: string): Promise<boolean> {
  const client = await connectClient(`unix:${file}`);
  client.send('x');
  const answer = await client.receive('x');
  client.reset();
  return answer === 'x';
}

describe('a unix path', () => {
  test('that a killed program left behind is taken over, and goes at the end', async () => {
    const file = path.join(folder(), 'stale');
    const killed = net.createServer().listen(`${file}.first`);
    await new Promise((resolve) => killed.once('listening', resolve));
    // Closing unlinks the name that it was bound to; this one stays, as after a kill.
    linkSync(`${file}.first`, file);
    await new Promise((resolve) => killed.close(resolve));
    const server = await serveOn(file);
    expect(await isServed(file)).toBe(true);
    await server.close({ graceMs: 0 });
    expect(existsSync(file)).toBe(false);
  });

  test('that another program listens on is left to it, unless it is to be replaced', async () => {
    const file = path.join(folder(), 'busy');
    await serveOn(file);
    await expect(serveOn(file)).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: `cannot listen on unix:${file}: the path is in use: end the program that listens there, or choose another path`,
    });
    await serveOn(file, { replaceUnixPath: true });
    expect(await isServed(file)).toBe(true);
  });

  test.skipIf(process.getuid?.() !== 0)('in a folder that this user may not enter is no path in use', async () => {
    const closed = folder();
    chmodSync(closed, 0o700);
    process.seteuid?.(65_534);
    try {
      await expect(serveOn(path.join(closed, 'socket'))).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        message: expect.stringContaining('permission denied: the folder must be writable') as string,
      });
    } finally {
      process.seteuid?.(0);
    }
  });

  test.skipIf(lacks('socat'))('that another program receives datagrams on is left to it', async () => {
    const file = path.join(folder(), 'datagrams');
    const receiver = spawn('socat', ['-u', `UNIX-RECV:${file}`, '-'], { stdio: 'ignore' });
    closing.push(async () => receiver.kill('SIGKILL'));
    await eventually(() => existsSync(file));
    await expect(serveOn(file)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    receiver.kill('SIGKILL');
    await new Promise((resolve) => receiver.once('exit', resolve));
    // Now it is stale, whatever it was.
    await serveOn(file);
    expect(await isServed(file)).toBe(true);
  });

  test('whose program is too busy to accept, with a full queue, is left to it', async () => {
    const file = path.join(folder(), 'full');
    const listening = `require('net').createServer().listen({ path: ${JSON.stringify(file)}, backlog: 1 }, () => console.log('here'))`;
    const busy = spawn(process.execPath, ['-e', listening], { stdio: ['ignore', 'pipe', 'ignore'] });
    closing.push(async () => busy.kill('SIGKILL'));
    await new Promise((resolve) => busy.stdout.once('data', resolve));
    busy.kill('SIGSTOP');
    const waiting: net.Socket[] = [];
    const connected = (): Promise<boolean> =>
      new Promise((resolve) => {
        const client = net.connect(file);
        waiting.push(client);
        client.once('connect', () => resolve(true)).once('error', () => resolve(false));
      });
    await eventually(async () => !(await connected()));
    await expect(serveOn(file)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    for (const client of waiting) client.destroy();
  });

  test('that another program has taken over since stays with it, also where it was inherited', async () => {
    const file = path.join(folder(), 'taken');
    const first = await bindListener({ scheme: 'unix', path: file, abstract: false });
    const heir = await bindListener(first.endpoint, { descriptor: first.descriptor });
    await serveOn(file, { replaceUnixPath: true });
    await heir.close();
    expect(await isServed(file)).toBe(true);
  });

  test.each(['a file', 'a symbolic link'])("that is %s is never replaced: it is another program's", async (kind) => {
    const there = path.join(folder(), 'precious');
    const file = kind === 'a file' ? there : `${there}.link`;
    writeFileSync(there, 'data');
    if (kind !== 'a file') symlinkSync(there, file);
    for (const replaceUnixPath of [false, true]) {
      await expect(serveOn(file, { replaceUnixPath })).rejects.toMatchObject({
        code: 'ADDRESS_IN_USE',
        message: `cannot listen on unix:${file}: a file that is no socket has that name: remove it, or choose another path`,
      });
    }
    expect(readFileSync(there, 'utf8')).toBe('data');
  });

  test('in a folder that does not exist is refused for that reason', async () => {
    const file = path.join(folder(), 'nowhere', 'socket');
    await expect(serveOn(file)).rejects.toMatchObject({
      code: 'BIND_FAILED',
      message: `cannot listen on unix:${file}: the folder of the path does not exist: create it first`,
    });
  });

  test('on a disk that takes none is refused with the reason, in words', async () => {
    const refused = explainBindFailure(
      { scheme: 'unix', path: '/x', abstract: false },
      Object.assign(new Error('bind: EROFS'), { code: 'EROFS' }),
    );
    expect(refused.message).toBe(
      'cannot listen on unix:/x: the disk is read-only: choose a path that can be written to',
    );
    // Which of its errors a kernel answers with there differs; none may stay a number.
    await expect(serveOn('/sys/wellknown-socket')).rejects.toMatchObject({
      message: expect.not.stringContaining('errno') as string,
    });
  });

  test('as long as the kernel takes is bound under its whole name', async () => {
    const where = folder();
    const file = path.join(where, 'x'.repeat(107 - where.length - 1));
    await serveOn(file);
    expect(await isServed(file)).toBe(true);
    expect(readdirSync(where)).toEqual([path.basename(file)]);
  });

  test('in a folder whose name leaves no room is refused with the reason, and nothing is left there', async () => {
    const where = folder();
    const deep = path.join(where, 'x'.repeat(107 - where.length - 3));
    mkdirSync(deep);
    await expect(serveOn(path.join(deep, 'a'))).rejects.toMatchObject({
      code: 'BIND_FAILED',
      message: expect.stringContaining('the folder of the path has too long a name: choose a shorter one') as string,
    });
    expect(readdirSync(deep)).toEqual([]);
  });
});

// Sockets that change hands: programs run by us for each connection, and our program run by tcpserver, xinetd and
// systemd.

import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createExecServer, type ExecServerOptions } from '../../src/inetd/index.ts';
import { type Server } from '../../src/index.ts';
import { connectClient, createFakeClock, eventually, unusedAddress } from '../../src/testing/index.ts';
import { isAlive, PROGRAM } from '../fixtures/identify.ts';
import { testWith } from '../fixtures/system-programs.ts';

const servers: Server[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(servers.splice(0).map((server) => server.close({ graceMs: 0 })));
  for (const child of children.splice(0)) {
    child.kill('SIGTERM');
    await new Promise((resolve) =>
      child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(undefined),
    );
  }
});

async function exec(
  options: Partial<ExecServerOptions> & Pick<ExecServerOptions, 'program'>,
): Promise<{ server: Server; url: string }> {
  const server = createExecServer({ listen: 'tcp://127.0.0.1:0', drainTimeoutMs: 500, ...options });
  servers.push(server);
  const [bound] = await server.listen();
  return { server, url: bound?.url ?? '' };
}

describe('a process for each connection', () => {
  test('the program talks to the peer directly, and knows both ends of the connection', async () => {
    const { url } = await exec({
      program: 'sh',
      arguments: ['-c', 'echo $PROTO $TCPLOCALIP $TCPLOCALPORT $TCPREMOTEIP $TCPREMOTEPORT $TCPCONNNUM; cat'],
    });
    const first = await connectClient(url);
    const second = await connectClient(url);
    const port = url.split(':').at(-1);
    expect(await first.receive('\n')).toBe(`TCP 127.0.0.1 ${port} 127.0.0.1 ${first.localPort} 1\n`);
    // The same host on both ends: the client's port is what tells the two connections apart.
    expect(await second.receive('\n')).toMatch(
      new RegExp(`^TCP 127.0.0.1 ${port} 127.0.0.1 ${second.localPort} [12]\n$`),
    );
    expect(second.localPort).not.toBe(first.localPort);
    first.send('hello\n');
    expect(await first.receive('\n')).toBe('hello\n');
    first.end();
    await first.receiveAll();
    second.reset();
  });

  test('bytes sent before the program runs are not lost, and its exit is the end of the connection', async () => {
    const { url, server } = await exec({ program: 'head', arguments: ['-c', '5'] });
    const client = await connectClient(url);
    client.send('12345');
    expect(await client.receiveAll()).toBe('12345');
    client.end();
    await eventually(async () => (await server.status()).services[0]?.connections.closed.finished === 1);
  });

  test('at the limit the next connection waits until a program has ended', async () => {
    const { url, server } = await exec({ program: 'cat', limits: { maxConnections: 1 } });
    const first = await connectClient(url);
    first.send('a');
    await first.receive('a');
    const second = await connectClient(url);
    second.send('b');
    await eventually(async () => (await server.status()).services[0]?.connections.waiting === 1);
    first.end();
    await second.receive('b');
    second.end();
  });

  test('past the limit of its address a connection is closed', async () => {
    const { url } = await exec({ program: 'cat', limits: { maxConnectionsPerAddress: 1 } });
    const first = await connectClient(url);
    first.send('a');
    await first.receive('a');
    const second = await connectClient(url);
    expect(await second.receiveAll()).toBe('');
    first.end();
  });

  test('a connection that waited is served in turn, also when the one before is turned away after all', async () => {
    const clock = createFakeClock();
    const { url, server } = await exec({
      program: 'cat',
      clock,
      limits: { maxConnections: 1, maxAcceptsPerSecondPerAddress: 1 },
    });
    const first = await connectClient(url);
    first.send('a');
    await first.receive('a');
    const waiting = [await connectClient(url), await connectClient(url)];
    await eventually(async () => (await server.status()).services[0]?.connections.waiting === 2);
    // No second has passed: both are over the rate of their address, and no other program's end will call the second one up.
    first.end();
    expect(await Promise.all(waiting.map((client) => client.receiveAll()))).toEqual(['', '']);
    for (const client of waiting) client.end();
  });

  test('a connection that waits when the server closes has its turn, and is cut off at the end of the grace', async () => {
    const { url, server } = await exec({ program: 'cat', limits: { maxConnections: 1 } });
    const clients = [await connectClient(url), await connectClient(url), await connectClient(url)];
    clients[0]!.send('a');
    await clients[0]!.receive('a');
    await eventually(async () => (await server.status()).services[0]?.connections.waiting === 2);
    const closing = server.close({ graceMs: 60_000 });
    clients[0]!.end();
    clients[1]!.send('b');
    expect(await clients[1]!.receive('b')).toBe('b');
    void server.close({ graceMs: 0 });
    expect(await clients[2]!.receiveAll()).toBe('');
    await closing;
    for (const client of clients) client.end();
  });

  test('a program that the system refuses to start costs its connection, not the server', async () => {
    const { url, server } = await exec({ program: 'cat', environment: { TOO_LARGE: 'x'.repeat(4 * 1024 * 1024) } });
    const client = await connectClient(url);
    expect(await client.receiveAll()).toBe('');
    client.end();
    await eventually(async () => (await server.status()).services[0]?.connections.closed['handler-failed'] === 1);
  });

  test('an address that is taken is said, and what was bound before it is free again', async () => {
    const { url } = await exec({ program: 'cat' });
    const spare = await unusedAddress();
    await expect(
      createExecServer({ program: 'cat', listen: [`tcp://${spare.host}:${spare.port}`, url] }).listen(),
    ).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    await exec({ program: 'cat', listen: `tcp://${spare.host}:${spare.port}` });
  });

  test('closing ends programs that outlast the grace', async () => {
    const { url, server } = await exec({ program: 'sh', arguments: ['-c', 'echo $$; exec sleep 60'] });
    const client = await connectClient(url);
    const pid = Number((await client.receive('\n')).trim());
    await server.close({ graceMs: 0 });
    expect(isAlive(pid)).toBe(false);
    client.reset();
  });

  test('a program that ignores TERM is killed two seconds later, and not before', async () => {
    const clock = createFakeClock();
    const { url, server } = await exec({
      program: 'sh',
      arguments: ['-c', `trap 'echo asked' TERM; trap 'echo here' USR1; echo $$; while :; do sleep 0.05; done`],
      clock,
    });
    const client = await connectClient(url);
    const pid = Number((await client.receive('\n')).trim());
    const closed = server.close({ graceMs: 0 });
    expect(await client.receive('\n')).toBe('asked\n');
    clock.advance(1_999);
    process.kill(pid, 'SIGUSR1');
    expect(await client.receive('\n')).toBe('here\n');
    clock.advance(1);
    await closed;
    expect(isAlive(pid)).toBe(false);
    client.reset();
  });

  test('no descriptor stays behind after many connections', async () => {
    const { url } = await exec({ program: 'true' });
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    for (let count = 0; count < 30; count += 1) {
      const client = await connectClient(url);
      await client.receiveAll();
      client.end();
      await client.closed;
    }
    await eventually(() => descriptors() <= before + 2);
  });

  test('a folder that is called as the program, earlier in PATH, is skipped', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-'));
    mkdirSync(path.join(folder, 'cat'));
    vi.stubEnv('PATH', `${folder}:${process.env.PATH ?? ''}`);
    const { url } = await exec({ program: 'cat' });
    const client = await connectClient(url);
    client.send('hello\n');
    expect(await client.receive('\n')).toBe('hello\n');
    client.reset();
  });

  test.each([
    ['a folder', 'is a directory', mkdirSync],
    ['a device', 'is no regular file', (file: string) => symlinkSync('/dev/null', file)],
    [
      'a file without the permission',
      'may not be run by this user (EACCES)',
      (file: string) => writeFileSync(file, ''),
    ],
  ])('%s is refused at the start with the reason', async (_what, reason, make) => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-')), 'program');
    make(file);
    await expect(exec({ program: file })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: `the program '${file}' is not there or cannot be run: ${file} ${reason}`,
    });
  });

  test('the program is told nothing that speaks for the supervisor, and everything else', async () => {
    const own = [
      'NOTIFY_SOCKET',
      'WATCHDOG_USEC',
      'LISTEN_FDS',
      'NODE_CHANNEL_FD',
      'NODE_UNIQUE_ID',
      'WELLKNOWN_INHERIT',
    ];
    for (const name of [...own, 'LANGUAGE_OF_OURS']) vi.stubEnv(name, 'set');
    const { url } = await exec({ program: 'env' });
    const client = await connectClient(url);
    const names = (await client.receiveAll()).split('\n').map((line) => line.split('=')[0] ?? '');
    expect(names.filter((name) => own.includes(name))).toEqual([]);
    expect(names).toContain('LANGUAGE_OF_OURS');
  });

  test.runIf(process.getuid?.() === 0)(
    'a program that its user may not run is said at the start, be it the file or a folder on the way (as root)',
    async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-'));
      const program = path.join(folder, 'program');
      const runAs = { uid: 65_534, gid: 65_534 };
      const refused = {
        code: 'OPTION_INVALID',
        message: expect.stringContaining('may not be run by the user 65534') as string,
      };
      writeFileSync(program, '#!/bin/sh\nid -u\n', { mode: 0o755 });
      await expect(exec({ program, runAs })).rejects.toMatchObject(refused);
      chmodSync(folder, 0o755);
      chmodSync(program, 0o700);
      await expect(exec({ program, runAs })).rejects.toMatchObject(refused);
      chmodSync(program, 0o755);
      const client = await connectClient((await exec({ program, runAs })).url);
      expect(await client.receiveAll()).toBe('65534\n');
      client.end();
    },
  );

  test('a program that is not there is said at the start', async () => {
    await expect(
      createExecServer({ program: '/no/such/program', listen: 'tcp://127.0.0.1:0' }).listen(),
    ).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

function run(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: 'ignore' });
  children.push(child);
  return child;
}

async function connected(url: string) {
  let client: Awaited<ReturnType<typeof connectClient>> | undefined;
  await eventually(async () => {
    client = await connectClient(url).catch(() => undefined);
    return client !== undefined;
  });
  if (client === undefined) throw new Error('not connected');
  return client;
}

async function speaks(url: string): Promise<void> {
  const client = await connected(url);
  await client.receive(/^\d+\n/);
  client.send('hello\n');
  expect(await client.receive('\n')).toBe('hello\n');
  client.end();
  await client.receiveAll();
}

describe('run by others', () => {
  testWith('tcpserver', 'tcpserver gives each connection to a process of ours', async () => {
    const { host, port } = await unusedAddress();
    run('tcpserver', ['-RHl0', host, String(port), process.execPath, ...PROGRAM, '--inetd']);
    await speaks(`tcp://${host}:${port}`);
  });

  testWith('xinetd', 'xinetd does too', async () => {
    const { host, port } = await unusedAddress();
    const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-'));
    const script = path.join(folder, 'serve.sh');
    writeFileSync(script, `#!/bin/sh\nexec ${process.execPath} ${PROGRAM.join(' ')} --inetd\n`, {
      mode: 0o755,
    });
    const config = path.join(folder, 'xinetd.conf');
    writeFileSync(
      config,
      `service identify\n{\n type = UNLISTED\n socket_type = stream\n protocol = tcp\n wait = no\n user = ${process.env.USER ?? 'root'}\n bind = ${host}\n port = ${port}\n server = ${script}\n}\n`,
    );
    run('xinetd', ['-dontfork', '-f', config, '-pidfile', path.join(folder, 'pid')]);
    await speaks(`tcp://${host}:${port}`);
  });

  testWith(
    'systemd-socket-activate',
    'systemd passes listening sockets by name, and workers serve from them',
    async () => {
      const { host, port } = await unusedAddress();
      run('systemd-socket-activate', [
        '-l',
        `${host}:${port}`,
        '--fdname=web',
        process.execPath,
        ...PROGRAM,
        '--workers',
        '2',
        '--listen',
        'systemd:web',
      ]);
      await speaks(`tcp://${host}:${port}`);
    },
  );

  testWith('systemd-socket-activate', 'and by number', async () => {
    const { host, port } = await unusedAddress();
    run('systemd-socket-activate', [
      '-l',
      `${host}:${port}`,
      process.execPath,
      ...PROGRAM,
      '--workers',
      '0',
      '--listen',
      'fd://3',
    ]);
    await speaks(`tcp://${host}:${port}`);
  });
});

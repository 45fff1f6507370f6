// The limits of a server that runs a program for each connection: they are those of every server.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { parseExecArguments } from '../../src/cli/run-exec.ts';
import { createExecServer, createWaitServer } from '../../src/inetd/index.ts';
import { silentLog, type Server } from '../../src/index.ts';
import type { ConnectionCounters } from '../../src/observe/status.ts';
import { connectClient, createFakeClock, eventually, type Client } from '../../src/testing/index.ts';
import { programArguments, ROOT } from '../../../../test/programs.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function listen(server: Server): Promise<string> {
  closing.push(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return bound?.url ?? '';
}

const counters = async (server: Server): Promise<ConnectionCounters | undefined> =>
  (await server.status()).services[0]?.connections;

async function echoes(client: Client): Promise<boolean> {
  client.send('hello\n');
  return (await client.receive('\n')) === 'hello\n';
}

describe('the accept rate of exec', () => {
  test('is kept: as many run at once as a second holds, and the next one waits until its time has come', async () => {
    const clock = createFakeClock();
    const server = createExecServer({
      program: 'cat',
      listen: 'tcp://127.0.0.1:0',
      clock,
      limits: { maxAcceptsPerSecond: 2 },
    });
    const url = await listen(server);
    const clients = [await connectClient(url), await connectClient(url), await connectClient(url)];
    await eventually(async () => (await counters(server))?.accepted === 3);
    expect(await counters(server)).toMatchObject({ open: 2, waiting: 1 });
    clock.advance(499);
    expect(await counters(server)).toMatchObject({ open: 2, waiting: 1 });
    clock.advance(1);
    expect(await counters(server)).toMatchObject({ open: 3, waiting: 0 });
    expect(await Promise.all(clients.map(echoes))).toEqual([true, true, true]);
    for (const client of clients) client.end();
  });

  test('holds in a drain too: those that wait for their time have their turn before the server has closed', async () => {
    const clock = createFakeClock();
    const server = createExecServer({
      program: 'cat',
      listen: 'tcp://127.0.0.1:0',
      clock,
      limits: { maxAcceptsPerSecond: 1 },
    });
    const url = await listen(server);
    const [first, second] = [await connectClient(url), await connectClient(url)];
    await eventually(async () => (await counters(server))?.accepted === 2);
    first.end();
    await first.receiveAll();
    await eventually(async () => (await counters(server))?.closed.finished === 1);
    let hasClosed = false;
    const closed = server.close({ graceMs: 60_000 }).then(() => (hasClosed = true));
    clock.advance(999);
    expect(await counters(server)).toMatchObject({ open: 0, waiting: 1 });
    clock.advance(1);
    expect(await echoes(second)).toBe(true);
    expect(hasClosed).toBe(false);
    second.end();
    await closed;
    expect((await counters(server))?.closed).toEqual({ finished: 2 });
  });

  test('is --max-rate on the command line', async () => {
    const request = parseExecArguments(['--listen', 'tcp://127.0.0.1:0', '--max-rate', '0.001', '--', 'cat']);
    if (!request.ok || request.value.type !== 'serve') throw new Error('not understood');
    const server = request.value.make(silentLog);
    const url = await listen(server);
    const [first, second] = [await connectClient(url), await connectClient(url)];
    await eventually(async () => (await counters(server))?.accepted === 2);
    expect(await counters(server)).toMatchObject({ open: 1, waiting: 1 });
    expect(await echoes(first)).toBe(true);
    for (const client of [first, second]) client.reset();
  });
});

describe('the file descriptors of exec', () => {
  test('are not used up by connections that wait: those past the budget are turned away, and later ones served', async () => {
    const child = spawn(
      'prlimit',
      [
        '--nofile=100:100',
        process.execPath,
        ...programArguments('packages/core/test/fixtures/run-exec-program.ts'),
        ...['--listen', 'tcp://127.0.0.1:0', '--max-connections', '1', '--drain-timeout', '0.1', '--', 'cat'],
      ],
      { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    closing.push(async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    await eventually(() => stdout.includes('ready\n'));
    const url = /tcp:\S+/.exec(stdout)?.[0] ?? '';
    const first = await connectClient(url);
    expect(await echoes(first)).toBe(true);
    let turnedAway = 0;
    const waiting = await Promise.all(
      Array.from({ length: 120 }, async () => {
        const client = await connectClient(url);
        void client.closed.then(() => (turnedAway += 1));
        void client.receiveAll().then(
          () => client.end(),
          () => undefined,
        );
        return client;
      }),
    );
    await eventually(() => turnedAway > 0 && stderr.includes('hardly any file descriptors are left'));
    expect(turnedAway).toBeLessThan(90);
    for (const client of waiting) client.reset();
    first.reset();
    await eventually(async () => {
      const client = await connectClient(url);
      client.send('again\n');
      const isServed = (await client.receive('\n').catch(() => '')) === 'again\n';
      client.reset();
      return isServed;
    });
  });
});

describe('where a program is run', () => {
  test('TLS is for the program, and a datagram for `wait`: either is refused before anything is bound', () => {
    expect(() => createExecServer({ program: 'cat', listen: 'tls://127.0.0.1:0' })).toThrow(
      expect.objectContaining({ code: 'ENDPOINT_INVALID', message: expect.stringContaining('without TLS') as string }),
    );
    expect(() => createExecServer({ program: 'cat', listen: 'udp://127.0.0.1:0' })).toThrow(
      expect.objectContaining({ code: 'ENDPOINT_INVALID', message: expect.stringContaining('datagram') as string }),
    );
    expect(() => createWaitServer({ program: 'cat', listen: 'tls://127.0.0.1:0' })).toThrow(
      expect.objectContaining({ code: 'ENDPOINT_INVALID', message: expect.stringContaining('without TLS') as string }),
    );
  });
});

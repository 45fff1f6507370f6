// Programs of others, as clients of the small services and as the other end of an attack.

import { spawn, type ChildProcess } from 'node:child_process';
import dgram from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectDatagram } from '@wellknown/core/socket';
import { createServer, type Server } from '@wellknown/core';
import { eventually, lacks } from '@wellknown/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { createEchoServer, smallServiceProtocol, type EchoServerOptions } from '../src/index.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/**
 * Needs programs of the system, and `root` where a datagram is forged. Missing, the test is skipped with the reason; in
 * CI it fails.
 */
function testWith(programs: readonly string[], name: string, run: () => Promise<void>, needsRoot = false): void {
  const isRefused = needsRoot && process.getuid?.() !== 0;
  if (isRefused) console.log(`skipped, forging a source needs root: ${name}`);
  test.skipIf(isRefused || lacks(...programs))(name, run);
}

/** Runs a client to its end. With `untilBytes` its input stays open until it has printed so many. */
function system(
  command: string,
  args: readonly string[],
  input: string | Uint8Array = '',
  untilBytes = 0,
): Promise<{ status: number; stdout: Buffer }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'], timeout: 20_000 });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunks.reduce((sum, { length }) => sum + length, 0) >= untilBytes) child.stdin.end();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ status: code ?? -1, stdout: Buffer.concat(chunks) }));
    child.stdin.write(input);
    if (untilBytes === 0) child.stdin.end();
  });
}

async function started(server: Server): Promise<{ server: Server; port: string }> {
  closers.push(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return { server, port: bound?.url.split(':').at(-1) ?? '' };
}

const startEcho = (options: EchoServerOptions = {}) =>
  started(createEchoServer({ listen: 'udp://127.0.0.1:0', ...options }));
const datagramsOf = async (server: Server) => (await server.status()).services[0]!.datagrams;
const countersOf = async (server: Server) => (await server.status()).services[0]!.counters;

describe('clients', () => {
  testWith(['nping'], 'nping counts an answer to each of its datagrams', async () => {
    const { port } = await startEcho();
    const { stdout } = await system('nping', [
      '--unprivileged',
      '--udp',
      '-p',
      port,
      '-c',
      '5',
      '--rate',
      '50',
      '--data-length',
      '1000',
      '127.0.0.1',
    ]);
    expect(String(stdout)).toMatch(/UDP packets sent: 5 \| Rcvd: 5 \| Lost: 0/);
  });

  testWith(
    ['nmap'],
    'nmap finds an open port, since it is answered',
    async () => {
      const { port } = await startEcho();
      const { stdout } = await system('nmap', ['-n', '-Pn', '-sU', '-p', port, '--reason', '127.0.0.1']);
      expect(String(stdout)).toMatch(new RegExp(`${port}/udp open +\\S+ +udp-response`));
    },
    true,
  );

  testWith(['socat'], 'socat gets 1472 bytes back as they were', async () => {
    const { port } = await startEcho();
    const message = Buffer.from(Uint8Array.from({ length: 1_472 }, (_, index) => index * 7));
    expect(
      Buffer.compare(
        (await system('socat', ['-b', '65536', '-T', '2', '-', `UDP:127.0.0.1:${port}`], message)).stdout,
        message,
      ),
    ).toBe(0);
  });

  testWith(
    ['ncat'],
    'ncat gets its line back over datagrams, and its stream back over TCP after it has ended its half',
    async () => {
      const { port } = await startEcho();
      expect(String((await system('ncat', ['-u', '127.0.0.1', port], 'hello\n', 6)).stdout)).toBe('hello\n');
      const stream = await startEcho({ listen: 'tcp://127.0.0.1:0' });
      const large = 'x'.repeat(1_000_000);
      expect(String((await system('ncat', ['127.0.0.1', stream.port], large)).stdout)).toBe(large);
    },
  );

  testWith(['rdate'], 'rdate reads the time over datagrams and over TCP', async () => {
    for (const scheme of ['udp', 'tcp']) {
      const { port } = await started(
        createServer({ protocol: smallServiceProtocol('time'), listen: `${scheme}://127.0.0.1:0` }),
      );
      const beforeMs = Date.now();
      const { stdout } = await system('rdate', [...(scheme === 'udp' ? ['-u'] : []), '-p', '-o', port, '127.0.0.1']);
      // It prints whole seconds.
      expect(Date.parse(String(stdout))).toBeGreaterThan(beforeMs - 1_000);
      expect(Date.parse(String(stdout))).toBeLessThanOrEqual(Date.now());
    }
  });
});

describe('a loop with another echo', () => {
  async function freePort(): Promise<number> {
    const socket = dgram.createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    return port;
  }

  /** xinetd's own echo, on a port that it can't be told from a client by. */
  async function startXinetd(): Promise<number> {
    const port = await freePort();
    const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-xinetd-'));
    const config = path.join(folder, 'xinetd.conf');
    writeFileSync(
      config,
      `service echo
{
  type = INTERNAL UNLISTED
  id = echo-dgram
  socket_type = dgram
  protocol = udp
  wait = yes
  port = ${port}
  bind = 127.0.0.1
  cps = 1000000 1
  disable = no
}
`,
    );
    const child: ChildProcess = spawn(
      'xinetd',
      ['-dontfork', '-f', config, '-pidfile', path.join(folder, 'pid'), '-filelog', path.join(folder, 'log')],
      { stdio: 'ignore' },
    );
    closers.push(async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    });
    const probe = await connectDatagram(`udp://127.0.0.1:${port}`);
    closers.push(() => probe.close());
    await eventually(async () => {
      probe.send(Buffer.from('are you there'));
      return (await probe.read(100)) !== undefined;
    });
    return port;
  }

  /** An echo with no defence at all, which answers everything: what xinetd's would be if it lost nothing. */
  async function startRelentless(): Promise<number> {
    const socket = dgram.createSocket('udp4');
    closers.push(() => socket.close());
    socket.on('message', (message, source) => socket.send(message, source.port, source.address));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return socket.address().port;
  }

  const forge = (from: number, to: string) =>
    system('nping', [
      '--udp',
      '-g',
      String(from),
      '-p',
      to,
      '-c',
      '1',
      '--data-string',
      'round and round',
      '127.0.0.1',
    ]);

  /**
   * Resolves with what was received in all once nothing goes round any more: many times a turn of the loop passes
   * without a change.
   */
  async function whenStill(server: Server, other: number): Promise<number> {
    const peer = await connectDatagram(`udp://127.0.0.1:${other}`);
    closers.push(() => peer.close());
    let before = -1;
    for (let now = 0; now !== before; now = (await datagramsOf(server)).received) {
      before = now;
      for (let count = 0; count < 10; count += 1) {
        peer.send(Uint8Array.of(count));
        await peer.read(100);
      }
    }
    return before;
  }

  testWith(
    ['xinetd', 'nping'],
    'in xinetd, started by one forged datagram, dies out',
    async () => {
      const other = await startXinetd();
      const { server, port } = await startEcho();
      await forge(other, port);
      await eventually(async () => (await datagramsOf(server)).received >= 1);
      const turns = await whenStill(server, other);
      expect(turns).toBeGreaterThanOrEqual(1);
      // The burst, what a second's tokens may add, and the one that was dropped. xinetd loses some itself.
      expect(turns).toBeLessThanOrEqual(301);
    },
    true,
  );

  testWith(
    ['nping'],
    'that answers everything dies out, since the source runs out of tokens',
    async () => {
      const other = await startRelentless();
      const { server, port } = await startEcho({ ratePerSource: 100 });
      await forge(other, port);
      await eventually(async () => (await countersOf(server))['dropped-rate'] === 1);
      const { received, sent } = await datagramsOf(server);
      expect([received - sent, sent >= 200]).toEqual([1, true]);
      expect(await whenStill(server, other)).toBe(received);
    },
    true,
  );

  testWith(
    ['nping'],
    'dies out below any rate too, since one datagram in so many is dropped',
    async () => {
      const other = await startRelentless();
      const { server, port } = await startEcho({ ratePerSource: 1e6, totalRate: 1e6, maxUnbrokenAnswers: 500 });
      await forge(other, port);
      await eventually(async () => (await countersOf(server))['dropped-loop'] === 1);
      expect(await datagramsOf(server)).toMatchObject({ received: 501, sent: 500 });
    },
    true,
  );

  testWith(
    ['nping'],
    'does not begin with a service on its well-known port, nor with ourselves',
    async () => {
      const { server, port } = await startEcho();
      await Promise.all([7, 13, 19, 37, 53, 123, 1900, Number(port)].map((from) => forge(from, port)));
      await eventually(async () => (await datagramsOf(server)).received === 8);
      expect(await countersOf(server)).toMatchObject({ 'dropped-service-port': 7, 'dropped-own-port': 1 });
      expect((await datagramsOf(server)).sent).toBe(0);
    },
    true,
  );
});

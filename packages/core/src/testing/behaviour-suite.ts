// The promises that every server on core keeps, as tests that a protocol's author runs against an own server.
//
// Bring the test functions of vitest, node:test or the like; the suite itself needs neither. Sockets are real, time is
// a fake clock wherever a promise speaks of time.

import assert from 'node:assert/strict';
import { WellknownError } from '../errors.ts';
import type { ServerOptions } from '../options.ts';
import type { Server } from '../server.ts';
import { connectClient, type Client } from './client.ts';
import { eventually } from './eventually.ts';
import { createFakeClock } from './fake-clock.ts';
import { refusesAddressInUse, withServer, type ServerSubject } from './running-server.ts';

export interface BehaviourSubject extends ServerSubject {
  /**
   * What a client does first and what it gets: resolves once the answer has come, rejects otherwise. The connection
   * stays usable.
   */
  exchange(client: Client): Promise<void>;
  /** Bytes that make the server write more than it is sent, many times repeated; for the peer that never reads. */
  readonly flood: string;
}

export interface TestFunctions {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly test: (name: string, run: () => Promise<void>) => unknown;
}

const LOOPBACK = 'tcp://127.0.0.1:0';

const started = (
  subject: BehaviourSubject,
  options: ServerOptions,
  run: (url: string, server: Server) => Promise<void>,
): Promise<void> => withServer(subject, { listen: LOOPBACK, ...options }, run);

const openCount = async (server: Server): Promise<number> =>
  (await server.status()).services.reduce((sum, service) => sum + service.connections.open, 0);

/** Registers the suite. Every case starts and stops a server of its own on a free port of 127.0.0.1. */
export function describeServerBehaviour(subject: BehaviourSubject, { describe, test }: TestFunctions): void {
  const connectAndExchange = async (url: string): Promise<Client> => {
    const client = await connectClient(url);
    await subject.exchange(client);
    return client;
  };

  describe(`${subject.name} keeps the promises of every server`, () => {
    test('listening on port 0 tells the real port, and a client is answered there', () =>
      started(subject, {}, async (url) => {
        assert.match(url, /^tcp:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
        const client = await connectAndExchange(url);
        client.reset();
      }));

    test('closing twice is one close, and afterwards the port is free', () =>
      started(subject, {}, async (url, server) => {
        await Promise.all([server.close({ graceMs: 0 }), server.close({ graceMs: 0 })]);
        await server.ended;
        await assert.rejects(connectClient(url), /ECONNREFUSED/);
      }));

    test('a port in use is refused with the endpoint, the reason and what to do', () =>
      started(subject, {}, (url) => refusesAddressInUse(subject, url)));

    test('the connection at the per-address limit is served, the next is turned away, and a place that is given back is given out', () =>
      started(subject, { limits: { maxConnectionsPerAddress: 2 } }, async (url, server) => {
        const first = await connectAndExchange(url);
        await connectAndExchange(url);
        const third = await connectClient(url);
        await third.receiveAll();
        third.end();
        assert.equal(await openCount(server), 2);
        first.reset();
        await eventually(async () => assert.equal(await openCount(server), 1, 'the first connection is not gone'));
        await connectAndExchange(url);
      }));

    test('a connection past the total limit waits, and is served when there is room', () =>
      started(subject, { limits: { maxConnections: 1 } }, async (url, server) => {
        const first = await connectAndExchange(url);
        const second = await connectClient(url);
        const served = subject.exchange(second);
        await eventually(async () =>
          assert.equal((await server.status()).services[0]?.connections.waiting, 1, 'the second does not wait'),
        );
        first.reset();
        await served;
      }));

    test('a peer that says nothing is ended by the idle limit, not before', async () => {
      const clock = createFakeClock();
      await started(subject, { clock, limits: { idleTimeoutMs: 60_000 } }, async (url, server) => {
        const client = await connectAndExchange(url);
        assert.equal(await openCount(server), 1);
        // A protocol may have a shorter limit of its own; it may not have a longer one.
        clock.advance(61_000);
        clock.advance(5_000);
        await client.receiveAll();
        client.end();
        await eventually(async () => assert.equal(await openCount(server), 0, 'the idle connection is not gone'));
      });
    });

    test('a peer that never reads stops being read from, is cut off by the write limit, and others are served meanwhile', async () => {
      const clock = createFakeClock();
      await started(subject, { clock, limits: { writeTimeoutMs: 30_000, idleTimeoutMs: 0 } }, async (url, server) => {
        const deaf = await connectAndExchange(url);
        deaf.pause();
        const flood = subject.flood.repeat(Math.ceil((1024 * 1024) / subject.flood.length));
        // The kernel's buffers take some megabytes, or dozens of them: writing goes on until it is heard no more.
        const insist = (): void => {
          if (deaf.unsentBytes < flood.length) deaf.send(flood);
        };
        insist();
        const other = await connectAndExchange(url);
        other.reset();
        await eventually(async () => {
          insist();
          clock.advance(1_000);
          assert.equal(await openCount(server), 0, 'the peer that never reads is not cut off');
        });
        deaf.reset();
      });
    });

    test('any bytes end in an answer or a close, and the next client is served', () =>
      started(subject, {}, async (url) => {
        for (const bytes of GARBAGE) {
          const client = await connectClient(url);
          client.send(bytes);
          client.end();
          await client.receiveAll();
        }
        await connectAndExchange(url);
      }));

    test('a reset at any moment leaves the server serving', () =>
      started(subject, {}, async (url, server) => {
        const early = await connectClient(url);
        early.reset();
        const late = await connectAndExchange(url);
        late.send(subject.flood);
        late.reset();
        await eventually(async () => assert.equal(await openCount(server), 0, 'not both are gone'));
        await connectAndExchange(url);
      }));

    test('closing with no grace ends open connections at once, with a reason', () =>
      started(subject, {}, async (url, server) => {
        const client = await connectAndExchange(url);
        await server.close({ graceMs: 0 });
        await client.receiveAll();
        const connections = (await server.status()).services[0]?.connections;
        assert.ok(connections !== undefined);
        assert.equal(connections.open, 0);
        assert.equal(
          Object.values(connections.closed).reduce((sum, count) => sum + count, 0),
          1,
        );
      }));

    test('a second listen is refused', () =>
      started(subject, {}, async (_url, server) => {
        await assert.rejects(
          async () => server.listen(),
          (error) => error instanceof WellknownError && error.code === 'WRONG_STATE',
        );
      }));
  });
}

const allBytes = String.fromCharCode(...Array.from({ length: 256 }, (_, index) => index));

/** What a server meets on an open port: nothing, another protocol's opening, binary noise, endless lines. */
const GARBAGE: readonly string[] = [
  '',
  '\0',
  allBytes,
  allBytes.repeat(256),
  '\r\n\r\n\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'SSH-2.0-OpenSSH_9.2\r\n',
  '\xff\xfd\x01\xff\xfa\xc9a',
  'x'.repeat(100_000),
  `${'x'.repeat(100_000)}\r\n`,
  'QUIT\r\nQUIT\r\n',
];

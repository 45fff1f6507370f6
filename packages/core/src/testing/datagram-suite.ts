// The promises that every datagram service keeps, as tests that a protocol's author runs against an own server. The
// counterpart of behaviour-suite.ts; like it, it needs no test runner of its own.

import assert from 'node:assert/strict';
import { silentLog } from '../log.ts';
import { connectDatagram, type DatagramPeer } from '../datagram/peer.ts';
import { WellknownError } from '../errors.ts';
import type { ServerOptions } from '../options.ts';
import type { Server } from '../server.ts';
import type { ServiceStatus } from '../observe/status.ts';
import type { TestFunctions } from './behaviour-suite.ts';
import { eventually } from './eventually.ts';
import { refusesAddressInUse, withServer, type ServerSubject } from './running-server.ts';

export interface DatagramSubject extends ServerSubject {
  /** A datagram that is answered; each call gives one for another exchange. */
  readonly question: () => Uint8Array;
  /** Throws when this is no answer to the question. */
  check(answer: Uint8Array, question: Uint8Array): void;
}

const LOOPBACK = 'udp://127.0.0.1:0';
const ANSWER_WITHIN_MS = 5_000;
// What one IPv4 datagram can carry.
const LARGEST_BYTES = 65_507;

const started = (
  subject: DatagramSubject,
  options: ServerOptions & { readonly listen?: string },
  run: Parameters<typeof withServer>[2],
): Promise<void> => withServer(subject, { listen: LOOPBACK, ...options }, run);

async function withPeer(url: string, run: (peer: DatagramPeer) => Promise<void>): Promise<void> {
  const peer = await connectDatagram(url);
  try {
    await run(peer);
  } finally {
    peer.close();
  }
}

const statusOf = async (server: Server): Promise<ServiceStatus> => {
  const [service] = (await server.status()).services;
  assert.ok(service !== undefined);
  return service;
};

/**
 * Datagrams that were answered or have a reason why not. What the protocol drops by itself it counts as `dropped-…`.
 */
const accountedFor = ({ datagrams, counters }: ServiceStatus): number =>
  datagrams.sent +
  datagrams.failedSends +
  datagrams.droppedSource +
  datagrams.droppedBusy +
  datagrams.failed +
  Object.entries(counters).reduce((sum, [name, count]) => (name.startsWith('dropped-') ? sum + count : sum), 0);

/** Registers the suite. Every case starts and stops a server of its own on free ports. */
export function describeDatagramBehaviour(subject: DatagramSubject, { describe, test }: TestFunctions): void {
  const exchange = (url: string): Promise<void> =>
    withPeer(url, async (peer) => {
      const question = subject.question();
      peer.send(question);
      const answer = await peer.read(ANSWER_WITHIN_MS);
      assert.ok(answer !== undefined, `no answer from ${url}`);
      subject.check(answer, question);
    });

  describe(`${subject.name} keeps the promises of every datagram service`, () => {
    test('listening on port 0 tells the real port, and a client is answered there', () =>
      started(subject, {}, async (url) => {
        assert.match(url, /^udp:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
        await exchange(url);
      }));

    test('on all addresses each of them answers, on one port', () =>
      started(subject, { listen: 'udp://:0' }, async (_url, _server, urls) => {
        assert.equal(new Set(urls.map((url) => url.split(':').at(-1))).size, 1);
        for (const url of urls) await exchange(url);
      }));

    test('closing twice is one close, and afterwards the port is free', () =>
      started(subject, {}, async (url, server) => {
        await Promise.all([server.close({ graceMs: 0 }), server.close({ graceMs: 0 })]);
        await server.ended;
        await started(subject, { listen: url }, (again) => exchange(again));
      }));

    test('a port in use is refused with the endpoint, the reason and what to do', () =>
      started(subject, {}, (url) => refusesAddressInUse(subject, url)));

    test('any bytes of any length end in an answer or in a counted drop, and the next client is answered', () =>
      started(subject, {}, async (url, server) => {
        await withPeer(url, async (peer) => {
          for (const byteLength of [0, 1, 2, 3, 4, 7, 8, 16, 43, 44, 45, 512, 1_472, 1_473, 9_000, LARGEST_BYTES]) {
            for (const byte of [0, 1, 0x7f, 0x80, 0xff]) peer.send(new Uint8Array(byteLength).fill(byte));
          }
          // Each was handed to the kernel, which may only have dropped it for want of room.
          await eventually(async () => {
            const { datagrams } = await statusOf(server);
            const came = datagrams.received + datagrams.droppedByKernel;
            assert.ok(came >= peer.counters.sent, `of ${peer.counters.sent} datagrams only ${came} have come`);
          });
        });
        const status = await statusOf(server);
        assert.equal(status.datagrams.failed, 0);
        assert.equal(accountedFor(status), status.datagrams.received);
        await exchange(url);
      }));

    test('a client that is gone before its answer leaves the service serving', () =>
      started(subject, {}, async (url) => {
        for (let count = 0; count < 10; count += 1) {
          await withPeer(url, (peer) => {
            peer.send(subject.question());
            return Promise.resolve();
          });
        }
        await exchange(url);
      }));

    test('multicast and broadcast addresses are refused', async () => {
      for (const listen of ['udp://224.0.0.1:0', 'udp://255.255.255.255:0', 'udp://[ff02::1]:0']) {
        await assert.rejects(
          subject.create({ log: silentLog, listen }).listen(),
          (error) => error instanceof WellknownError && error.code === 'ADDRESS_NOT_AVAILABLE',
        );
      }
    });

    test('a second listen is refused', () =>
      started(subject, {}, async (_url, server) => {
        await assert.rejects(
          async () => server.listen(),
          (error) => error instanceof WellknownError && error.code === 'WRONG_STATE',
        );
      }));
  });
}

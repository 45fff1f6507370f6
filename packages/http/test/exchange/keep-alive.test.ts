// How long a connection may wait for its next request, and which limit says so.

import { serveInMemory } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { httpCommand } from '../../src/cli.ts';
import type { GivenHttpLimits } from '../../src/limits.ts';
import { httpProtocol } from '../../src/protocol.ts';
import { HttpResponse } from '../../src/fetch/response.ts';
import { readResponses } from '../serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** As a server passes its limits on: the protocol's to the protocol, core's to the connection. */
function serveWith(limits: GivenHttpLimits): ReturnType<typeof serveInMemory> {
  const { idleTimeoutMs } = limits;
  return serveInMemory(
    httpProtocol(() => new HttpResponse('x'), { limits }),
    idleTimeoutMs === undefined ? {} : { limits: { idleTimeoutMs } },
  );
}

describe('an idle connection is kept', () => {
  test.each<[string, GivenHttpLimits, number]>([
    ['for 75 seconds', {}, 75_000],
    ['for as long as an idle limit that is given says, where it is shorter', { idleTimeoutMs: 10_000 }, 10_000],
    ['and where it is longer', { idleTimeoutMs: 900_000 }, 900_000],
    ['for its own time, also beyond the idle limit of core', { keepAliveTimeoutMs: 900_000 }, 900_000],
    [
      'for its own time where that is shorter than a given idle limit',
      { keepAliveTimeoutMs: 20_000, idleTimeoutMs: 900_000 },
      20_000,
    ],
    [
      'for a given idle limit that is shorter than its own time',
      { keepAliveTimeoutMs: 900_000, idleTimeoutMs: 20_000 },
      20_000,
    ],
  ])('%s', (_, limits, ms) => {
    const { peer, clock, connection } = serveWith(limits);
    peer.send(GET);
    expect(readResponses(peer.take())).toHaveLength(1);
    clock.advance(ms - 1_000);
    expect(peer.closed || peer.sawEnd).toBe(false);
    clock.advance(2_000);
    expect(peer.closed || peer.sawEnd).toBe(true);
    expect(connection.reason).toBe('idle-timeout');
  });

  test.each<[string, GivenHttpLimits]>([
    ['an idle limit', { idleTimeoutMs: 0 }],
    ['a keep-alive time', { keepAliveTimeoutMs: 0 }],
  ])('for ever with %s of 0', (_, limits) => {
    const { peer, clock } = serveWith(limits);
    peer.send(GET);
    clock.advance(10_000_000);
    peer.send(GET);
    expect(readResponses(peer.take())).toHaveLength(2);
  });

  test('for as long as --idle-timeout says', async () => {
    const built = await httpCommand.build(
      {
        positional: '.',
        text: (name) => (name === 'idle-timeout' ? '900' : undefined),
        list: () => [],
        has: () => false,
      },
      {
        log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
        portOffset: 0,
        isServing: true,
      },
    );
    if (!built.ok) throw new Error(built.error);
    const { peer, clock } = serveInMemory(built.value, { limits: { idleTimeoutMs: 900_000 } });
    peer.send('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
    clock.advance(899_000);
    expect(peer.closed || peer.sawEnd).toBe(false);
    clock.advance(2_000);
    expect(peer.closed || peer.sawEnd).toBe(true);
  });
});

// Lists of open connections, a bounded part of the work at a time.

import { describe, expect, test } from 'vitest';
import { ConnectionListing, connectionOf, MAX_LISTED, type Listed } from '../../src/accept/connection-listing.ts';
import { ProcessConnections } from '../../src/accept/process-connections.ts';
import { matcherOf, type ConnectionFilter, type OpenConnection } from '../../src/observe/open-connections.ts';
import { createFakeClock } from '../../src/testing/index.ts';

const PLACE = { pid: 4711, worker: 2 };
const local = { family: 'ipv4', address: '192.0.2.1', port: 80 } as const;

const listed = (id: number, address = '192.0.2.9'): Listed => ({
  id,
  local,
  remote: { family: address.includes(':') ? 'ipv6' : 'ipv4', address, port: 1000 + id },
  state: 'open',
  ageMs: 5,
  receivedBytes: 1,
  sentBytes: 2,
  doing: undefined,
});

const many = (count: number): Set<Listed> => new Set(Array.from({ length: count }, (_, index) => listed(index + 1)));
const source = (service: string, connections: Set<Listed>) => ({ service, count: connections.size, connections });

function all(listing: ConnectionListing): { connections: OpenConnection[]; steps: number } {
  const connections: OpenConnection[] = [];
  for (let steps = 1; ; steps += 1) {
    const page = listing.next();
    expect(page.connections.length).toBeLessThanOrEqual(MAX_LISTED);
    connections.push(...page.connections);
    if (page.isLast) return { connections, steps };
  }
}

const listing = (sources: readonly ReturnType<typeof source>[], filter: ConnectionFilter = {}): ConnectionListing =>
  new ConnectionListing(
    sources,
    matcherOf(
      filter,
      sources.map(({ service }) => service),
    ),
    PLACE,
  );

describe('a listing', () => {
  test.each([0, 1, MAX_LISTED - 1, MAX_LISTED, MAX_LISTED + 1, 3 * MAX_LISTED])(
    'of %i connections has each of them once',
    (count) => {
      const { connections } = all(listing([source('http', many(count))]));
      expect(connections.map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, index) => `4711.${index + 1}`));
    },
  );

  test('says of a connection what is known, and nothing of what is not', () => {
    const secure = {
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      serverName: 'a.example',
      alpn: undefined,
      sessionReused: false,
      clientCertificate: undefined,
    };
    const program: Listed = { id: 8, local, remote: local, state: 'open', ageMs: 7, doing: 'cat, process 9' };
    const { connections } = all(
      listing([source('http', new Set([{ ...listed(7), secure }])), source('exec', new Set([program]))]),
    );
    expect(connections).toEqual([
      {
        id: '4711.7',
        service: 'http',
        worker: 2,
        local: '192.0.2.1:80',
        remote: '192.0.2.9:1007',
        state: 'open',
        ageMs: 5,
        receivedBytes: 1,
        sentBytes: 2,
        tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: 'a.example' },
      },
      {
        id: '4711.8',
        service: 'exec',
        worker: 2,
        local: '192.0.2.1:80',
        remote: '192.0.2.1:80',
        state: 'open',
        ageMs: 7,
        doing: 'cat, process 9',
      },
    ]);
  });

  test('looks at no more in one step when few are meant', () => {
    const strangers = many(2 * MAX_LISTED);
    strangers.add(listed(9_999, '2001:db8::1'));
    const { connections, steps } = all(listing([source('http', strangers)], { remote: '2001:db8::/32' }));
    expect([connections.map(({ id }) => id), steps]).toEqual([['4711.9999'], 3]);
  });

  test('leaves out other services', () => {
    const { connections } = all(
      listing([source('http', many(2)), source('ftp', new Set([listed(9)]))], { service: 'ftp' }),
    );
    expect(connections.map(({ id, service }) => [id, service])).toEqual([['4711.9', 'ftp']]);
  });

  test('comes to its end though new ones open as fast as it goes, and misses only what has closed', () => {
    const connections = many(2 * MAX_LISTED);
    const going = listing([source('http', connections)]);
    const ids: string[] = [];
    for (let step = 0, isLast = false; !isLast; step += 1) {
      const page = going.next();
      ids.push(...page.connections.map(({ id }) => id));
      isLast = page.isLast;
      if (step === 0) for (const connection of connections) if (connection.id % 2 === 0) connections.delete(connection);
      for (let more = 0; more < MAX_LISTED; more += 1) connections.add(listed(10_000 + step * MAX_LISTED + more));
      expect(step).toBeLessThan(5);
    }
    const odd = Array.from({ length: MAX_LISTED / 2 }, (_, index) => `4711.${MAX_LISTED + 2 * index + 1}`);
    expect(ids).toEqual(expect.arrayContaining(odd));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('who is meant', () => {
  test('a service that there is not, and a range that is none, are refused with what there is', () => {
    expect(() => matcherOf({ service: 'gopher' }, ['http', 'ftp', 'ftp'])).toThrow(
      "there is no service 'gopher', there is http, ftp",
    );
    expect(() => matcherOf({ remote: '192.0.2.1/24' }, [])).toThrow('has bits beyond its prefix of 24');
  });

  test('clients of unix sockets are from nowhere', () => {
    expect(matcherOf({ remote: '0.0.0.0/0' }, []).remote({ family: 'unix', path: '' })).toBe(false);
    expect(matcherOf({}, []).remote({ family: 'unix', path: '' })).toBe(true);
  });
});

describe('the connections of a process', () => {
  const holder = (connections: Set<Listed>, closed: unknown[] = []) => ({
    connections: () => [source('http', connections)],
    closeConnection: (id: number, graceMs: number) => {
      closed.push([id, graceMs]);
      return Promise.resolve([...connections].some((connection) => connection.id === id));
    },
  });

  test('come page by page, with a pause between two', async () => {
    const clock = createFakeClock();
    const pages = new ProcessConnections([holder(many(MAX_LISTED + 1))], PLACE, clock).pages({});
    expect(await pages.next()).toMatchObject({
      value: { worker: 2, answered: true, connections: { length: MAX_LISTED } },
    });
    const next = pages.next();
    clock.advance(1);
    expect(await next).toMatchObject({ value: { connections: { length: 1 } } });
    expect(await pages.next()).toEqual({ done: true, value: undefined });
  });

  test.each([
    ['4711.2', true, [[2, 50]]],
    ['4711.3', false, [[3, 50]]],
    ['4712.2', false, []],
    ['4711', false, []],
    ['4711.2x', false, []],
    ['', false, []],
  ])('are ended by their id: %s', async (id, outcome, closed) => {
    const asked: unknown[] = [];
    const process = new ProcessConnections([holder(many(2), asked)], PLACE, createFakeClock());
    expect([await process.close(id, 50), asked]).toEqual([outcome, closed]);
  });
});

test.each(['0.1', '1.0', '01.1', '1.1.1', '-1.1', '1e3.1', ' 1.1', '99999999999.1'])('%s is no id', (text) => {
  expect(connectionOf(text)).toBeUndefined();
});

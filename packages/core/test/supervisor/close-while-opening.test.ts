// A server that is closed while it opens: what it has bound by then is given back, and `listen` says why it failed.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createExecServer, createWaitServer } from '../../src/inetd/index.ts';
import { createServer, defineProtocol, type Server } from '../../src/index.ts';
import { socket } from '../../src/socket/index.ts';
import { unusedAddress } from '../../src/testing/index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-opening-'));
afterAll(() => rmSync(folder, { recursive: true }));

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

const both = defineProtocol({
  name: 'both',
  port: 0,
  connection: (peer) => peer.end(),
  datagrams: () => () => undefined,
});

const SERVERS: readonly {
  readonly name: string;
  readonly schemes: readonly string[];
  readonly create: (listen: readonly string[]) => Server;
}[] = [
  {
    name: 'a server of one process',
    schemes: ['tcp', 'unix', 'udp'],
    create: (listen) => createServer({ protocol: both, listen }),
  },
  {
    name: 'a primary',
    schemes: ['tcp', 'unix', 'udp'],
    create: (listen) => createServer({ protocol: both, listen }, { workers: 1 }),
  },
  {
    name: 'a server with a process for each connection',
    schemes: ['tcp', 'unix'],
    create: (listen) => createExecServer({ program: 'cat', listen }),
  },
  {
    name: 'a server that gives its socket away',
    schemes: ['tcp', 'unix', 'udp'],
    create: (listen) => createWaitServer({ program: 'cat', listen }),
  },
];

type Moment = 'at once' | 'bound' | 'listening';
const MOMENTS: readonly Moment[] = ['at once', 'bound', 'listening'];
// A primary's listeners listen once it has a worker: then it is not opening any more.
const CASES = SERVERS.flatMap((server) =>
  MOMENTS.filter((moment) => !(server.name === 'a primary' && moment === 'listening')).map((moment) => ({
    ...server,
    moment,
  })),
);

let lastPath = 0;

async function freeEndpoint(scheme: string): Promise<string> {
  if (scheme === 'unix') return `unix:${folder}/${(lastPath += 1)}.sock`;
  // Not on 127.0.0.1, where another test's client may be given the port before this test looks whether it is free.
  const { host, port } = await unusedAddress();
  return `${scheme}://${host}:${port}`;
}

/** By scheme: rejects unless the endpoint is free. A path is not even there. */
const BIND: Readonly<Record<string, (endpoint: string) => Promise<void>>> = {
  unix: async (endpoint) => {
    await expect(access(endpoint.slice('unix:'.length)), endpoint).rejects.toMatchObject({ code: 'ENOENT' });
  },
  udp: async (endpoint) => {
    await using datagrams = socket('datagram');
    await datagrams.bind(endpoint);
  },
  tcp: async (endpoint) => {
    await using probe = socket('stream');
    await probe.bind(endpoint);
    await probe.listen();
  },
};

async function expectFree(endpoint: string): Promise<void> {
  await expect(BIND[endpoint.split(':')[0] ?? '']?.(endpoint), endpoint).resolves.toBeUndefined();
}

function when(moment: Moment, act: () => void): void {
  if (moment === 'at once') {
    act();
    return;
  }
  const watch = (message: unknown): void => {
    if ((message as { readonly to: string }).to !== moment) return;
    unsubscribe('wellknown:listener', watch);
    act();
  };
  subscribe('wellknown:listener', watch);
  undo.push(() => unsubscribe('wellknown:listener', watch));
}

describe.each(CASES)('$name that is closed while it opens ($moment)', ({ schemes, create, moment }) => {
  test.each(schemes)('rejects its listen and leaves no %s listener', async (scheme) => {
    const endpoints = [await freeEndpoint(scheme), await freeEndpoint(scheme), await freeEndpoint(scheme)];
    const server = create(endpoints);
    let closed: Promise<void> | undefined;
    const listening = server.listen();
    const refused = expect(listening).rejects.toMatchObject({
      name: 'WellknownError',
      code: 'WRONG_STATE',
      message: 'the server was closed before it was ready',
    });
    when(moment, () => void (closed = server.close()));
    await refused;
    expect(closed, 'it was closed').toBeDefined();
    await closed;
    await server.ended;
    for (const endpoint of endpoints) await expectFree(endpoint);
  });
});

describe.each(SERVERS)('$name that was closed before it opened', ({ create }) => {
  test('does not open any more', async () => {
    const endpoint = await freeEndpoint('tcp');
    const server = create([endpoint]);
    await server.close();
    await expect(server.listen()).rejects.toMatchObject({ code: 'WRONG_STATE' });
    await server.ended;
    await expectFree(endpoint);
  });

  test('ends as well when it cannot be bound', async () => {
    const endpoint = await freeEndpoint('tcp');
    await using other = socket('stream');
    await other.bind(endpoint);
    await other.listen();
    const free = await freeEndpoint('tcp');
    const server = create([free, endpoint]);
    await expect(server.listen()).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    await server.close();
    await server.ended;
    await expectFree(free);
  });
});

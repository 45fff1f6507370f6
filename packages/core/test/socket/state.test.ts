import { afterEach, describe, expect, test } from 'vitest';
import {
  DATAGRAM_TRANSITIONS,
  DATAGRAM_VERBS,
  socket,
  STREAM_TRANSITIONS,
  STREAM_VERBS,
  type DatagramState,
  type DatagramVerb,
  type StreamSocket,
  type StreamState,
  type StreamVerb,
  type UdpSocket,
} from '../../src/socket/index.ts';
import { type TlsContext } from '../../src/index.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const socket of opened.splice(0)) await socket[Symbol.asyncDispose]();
});

const context: TlsContext = {
  socketOptions: () => ({}),
  setSecureContext: () => undefined,
  validityProblems: () => [],
  setTicketKey: () => undefined,
  withOwnSessions: () => context,
  withholdTickets: () => undefined,
  requiresClientCertificate: false,
};

const call: Readonly<Record<StreamVerb, (socket: StreamSocket) => Promise<unknown>>> = {
  bind: (stream) => stream.bind('tcp://127.0.0.1:0'),
  listen: (stream) => stream.listen(),
  accept: (stream) => stream.accept(),
  connect: (stream) => stream.connect('tcp://127.0.0.1:1'),
  read: (stream) => stream.read(),
  write: (stream) => stream.write('x'),
  startTls: (stream) => stream.startTls({ context }),
  shutdown: (stream) => stream.shutdown('both'),
  close: (stream) => stream.close(),
};

/** Ways into the states that a socket can stay in, in the order that a program would take. */
const waysInto: Readonly<Partial<Record<StreamState, () => Promise<StreamSocket>>>> = {
  unbound: async () => socket('stream'),
  bound: async () => {
    const bound = socket('stream');
    await bound.bind('tcp://127.0.0.1:0');
    return bound;
  },
  listening: () => listening(),
  connected: async () => (await connectedPair()).client,
  'read-closed': async () => {
    const { client } = await connectedPair();
    await client.shutdown('read');
    return client;
  },
  'write-closed': async () => {
    const { client } = await connectedPair();
    await client.shutdown('write');
    return client;
  },
  ended: async () => {
    const { client } = await connectedPair();
    await client.shutdown('both');
    return client;
  },
  closed: async () => {
    const closed = socket('stream');
    await closed.close();
    return closed;
  },
};

async function listening(): Promise<StreamSocket> {
  const listener = socket('stream');
  opened.push(listener);
  await listener.bind('tcp://127.0.0.1:0');
  await listener.listen();
  return listener;
}

async function connectedPair(): Promise<{ client: StreamSocket; server: StreamSocket }> {
  const listener = await listening();
  const client = socket('stream');
  const { local } = listener;
  await client.connect({ scheme: 'tcp', host: '127.0.0.1', port: local?.family === 'unix' ? 0 : (local?.port ?? 0) });
  const server = await listener.accept();
  opened.push(client, server);
  return { client, server };
}

const states = Object.keys(waysInto) as StreamState[];
const wrong = states.flatMap((state) =>
  (Object.keys(call) as StreamVerb[])
    .filter((verb) => !STREAM_VERBS[state].includes(verb))
    .map((verb) => ({ state, verb })),
);

const callDatagram: Readonly<Record<DatagramVerb, (socket: UdpSocket) => Promise<unknown>>> = {
  bind: (datagrams) => datagrams.bind('udp://127.0.0.1:0'),
  connect: (datagrams) => datagrams.connect('udp://127.0.0.1:9'),
  sendTo: (datagrams) => datagrams.sendTo('x', 'udp://127.0.0.1:9'),
  receiveFrom: (datagrams) => datagrams.receiveFrom(),
  read: (datagrams) => datagrams.read(),
  write: (datagrams) => datagrams.write('x'),
  close: (datagrams) => datagrams.close(),
};
const DATAGRAM_WAYS: Readonly<Partial<Record<DatagramState, readonly DatagramVerb[]>>> = {
  unbound: [],
  bound: ['bind'],
  connected: ['connect'],
  closed: ['close'],
};
const wrongDatagrams = (Object.keys(DATAGRAM_WAYS) as DatagramState[]).flatMap((state) =>
  (Object.keys(callDatagram) as DatagramVerb[])
    .filter((verb) => !DATAGRAM_VERBS[state].includes(verb))
    .map((verb) => ({ state, verb })),
);

const statesOf = (verb: StreamVerb): string =>
  (Object.keys(STREAM_VERBS) as StreamState[]).filter((state) => STREAM_VERBS[state].includes(verb)).join(', ');

describe('a verb at the wrong time', () => {
  test.each(wrong)(
    '$verb on a stream socket that is $state is refused by name, and changes nothing',
    async ({ state, verb }) => {
      const subject = await waysInto[state]!();
      opened.push(subject);
      await expect(call[verb](subject)).rejects.toMatchObject({
        code: 'WRONG_STATE',
        fault: 'local',
        message: expect.stringContaining(
          `${verb} on a stream socket that is ${state}: it is allowed when the socket is ${statesOf(verb)}`,
        ) as string,
      });
      expect(subject.state).toBe(state);
    },
  );

  test.each(wrongDatagrams)(
    '$verb on a datagram socket that is $state is refused by name, and changes nothing',
    async ({ state, verb }) => {
      await using subject = socket('datagram');
      for (const step of DATAGRAM_WAYS[state]!) await callDatagram[step](subject);
      const allowed = (Object.keys(DATAGRAM_VERBS) as DatagramState[])
        .filter((other) => DATAGRAM_VERBS[other].includes(verb))
        .join(', ');
      await expect(callDatagram[verb](subject)).rejects.toMatchObject({
        code: 'WRONG_STATE',
        fault: 'local',
        message: `${verb} on a datagram socket that is ${state}: it is allowed when the socket is ${allowed}`,
      });
      expect(subject.state).toBe(state);
    },
  );

  test('a line that is asked for in the wrong state is refused by that name', async () => {
    await expect(socket('stream').readLine()).rejects.toMatchObject({
      code: 'WRONG_STATE',
      message: expect.stringContaining('readLine on a stream socket that is unbound: it is allowed when') as string,
    });
  });
});

describe('an argument that no kernel would take', () => {
  test('is refused by name, where a wait would have no end or more would be shut than was asked for', async () => {
    const { client, server } = await connectedPair();
    await expect(client.shutdown('sideways' as 'both')).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: "shutdown: direction is 'sideways', allowed is read, write, both",
    });
    expect(client.state).toBe('connected');
    for (const byteLength of [-1, 1.5, Number.NaN])
      await expect(client.read({ byteLength })).rejects.toMatchObject({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('byteLength') as string,
      });
    await expect(client.readLine({ maxLineBytes: Number.NaN })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await server.write('still here\n');
    expect(await client.readLine()).toBe('still here');
    expect(() => socket('packet' as 'stream')).toThrow("socket: type is 'packet', allowed is stream, datagram");
    expect(() => socket('datagram', { maxQueued: -1 })).toThrow('maxQueued');
  });

  test('a listen with a wrong backlog leaves the socket bound; with backlog 0 one connection may wait, as in the kernel', async () => {
    const listener = socket('stream');
    opened.push(listener);
    const endpoint = await listener.bind('tcp://127.0.0.1:0');
    await expect(listener.listen({ backlog: Number.NaN })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(listener.state).toBe('bound');
    await listener.listen({ backlog: 0 });
    const client = socket('stream');
    opened.push(client);
    await client.connect(endpoint);
    opened.push(await listener.accept());
  });
});

describe('the tables', () => {
  test.each([
    ['stream', STREAM_VERBS, STREAM_TRANSITIONS],
    ['datagram', DATAGRAM_VERBS, DATAGRAM_TRANSITIONS],
  ] as const)(
    'from every state of a %s socket close leads to closed, where nothing else is allowed',
    (_type, verbs, transitions) => {
      for (const [state, row] of Object.entries<Readonly<Record<string, string>>>(transitions))
        expect(state === 'closed' || row.close === 'closed').toBe(true);
      for (const allowed of Object.values(verbs)) expect(allowed).toContain('close');
      expect(verbs.closed).toEqual(['close']);
      expect(transitions.closed).toEqual({});
    },
  );

  test('every state can be reached, and leads only to states that exist', () => {
    for (const transitions of [STREAM_TRANSITIONS, DATAGRAM_TRANSITIONS]) {
      const reached = new Set([
        'unbound',
        ...Object.values<object>(transitions).flatMap((row) => Object.values(row) as string[]),
      ]);
      expect([...reached].sort()).toEqual(Object.keys(transitions).sort());
    }
  });
});

test('every step of a life can be watched', async () => {
  const seen: string[] = [];
  const listener = await listening();
  const client = socket('stream', { onState: (state, before) => seen.push(`${before} > ${state}`) });
  await client.bind('tcp://127.0.0.1:0');
  const { local } = listener;
  await client.connect({ scheme: 'tcp', host: '127.0.0.1', port: local?.family === 'unix' ? 0 : (local?.port ?? 0) });
  const server = await listener.accept();
  await server.write('answer');
  await server.shutdown('write');
  expect(Buffer.from((await client.read({ byteLength: 6 }))!).toString()).toBe('answer');
  expect(await client.read()).toBeUndefined();
  await client.shutdown('write');
  await client.close();
  await server.close();
  await listener.close();
  expect(seen).toEqual([
    'unbound > binding',
    'binding > bound',
    'bound > connecting',
    'connecting > connected',
    'connected > read-closed',
    'read-closed > ended',
    'ended > closed',
  ]);
});

test('who waits when the socket is closed is told which verb that was', async () => {
  const calls: readonly (readonly [string, StreamSocket | UdpSocket, (subject: never) => Promise<unknown>])[] = [
    ['bind', socket('stream'), call.bind],
    ['connect', socket('stream'), call.connect],
    ['bind', socket('datagram'), callDatagram.bind],
  ];
  for (const [verb, subject, run] of calls) {
    const waiting = expect(run(subject as never)).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
      message: `the socket was closed while ${verb} waited`,
    });
    await subject.close();
    await waiting;
  }
});

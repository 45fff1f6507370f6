// Connections that give no session tickets: for a TLS 1.3 peer that sends, ends and is gone without having read anything.
// Python's ssl plays it: Node's always reads.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import tls from 'node:tls';
import { lacks } from '../../src/testing/index.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createServer, defineProtocol } from '../../src/index.ts';
import { makeCertificate } from '../../../../test/certificates.ts';

const CLIENT = `
import socket, ssl, sys
port, version, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
control = socket.create_connection(('127.0.0.1', port))
beside = int(control.makefile().readline())
context = ssl._create_unverified_context()
context.maximum_version = getattr(ssl.TLSVersion, version)
raw = socket.create_connection(('127.0.0.1', beside))
# Over memory: nothing is read from the socket once the handshake is done.
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
connection = context.wrap_bio(incoming, outgoing)
while True:
    try: connection.do_handshake()
    except ssl.SSLWantReadError:
        raw.sendall(outgoing.read())
        incoming.write(raw.recv(65536))
    else: break
connection.write(b'x' * count)
try: connection.unwrap()
except ssl.SSLWantReadError: pass
raw.sendall(outgoing.read())
raw.close()
control.recv(1)
`;

describe.skipIf(lacks('python3'))('with withoutTickets', () => {
  test.each([
    ['TLSv1_3', 5],
    ['TLSv1_3', 0],
    ['TLSv1_3', 5_000_000],
    ['TLSv1_2', 5],
    ['TLSv1_2', 5_000_000],
  ])('nothing of what it sends is lost (%s, %i bytes)', async (version, byteLength) => {
    let received: (result: { bytes: number; reason: string }) => void;
    const result = new Promise((resolve) => (received = resolve));
    const protocol = defineProtocol({
      name: 'upload',
      port: 7,
      async connection(peer, { secondary }) {
        const listener = await secondary.listen(peer, { connectTimeoutMs: 10_000 });
        const { tlsContext } = peer;
        if (listener === undefined || tlsContext === undefined) return;
        await peer.write(`${listener.port}\n`);
        const connection = await listener.accept();
        let bytes = 0;
        connection.secureFirst(
          tlsContext,
          () =>
            connection.attach({
              data: (chunk) => void (bytes += chunk.length),
              ended: () => {
                received({ bytes, reason: 'ended' });
                connection.end();
              },
              closed: (reason) => received({ bytes, reason }),
            }),
          { withoutTickets: true },
        );
        await connection.closed;
      },
    });
    const server = createServer({ protocol, listen: 'tcp://127.0.0.1:0' }, { tls: makeCertificate('own.example') });
    const [bound] = await server.listen();
    const port = /:(\d+)$/.exec(bound?.url ?? '')?.[1] ?? '';
    const client = spawn('python3', ['-c', CLIENT, port, version, String(byteLength)], { stdio: 'ignore' });
    try {
      expect(await result).toEqual({ bytes: byteLength, reason: 'ended' });
    } finally {
      client.kill();
      await server.close({ graceMs: 0 });
    }
  });
});

describe('sessions, where some connections give no tickets', () => {
  /** On every line listens for another connection of the same client, which tells whether it was resumed. */
  const protocol = defineProtocol({
    name: 'teller',
    port: 7,
    tlsSessions: 'connection',
    async connection(peer, { secondary }) {
      for (let line = await peer.readLine(); line !== undefined; line = await peer.readLine()) {
        const listener = await secondary.listen(peer, { connectTimeoutMs: 10_000 });
        const { tlsContext } = peer;
        if (listener === undefined || tlsContext === undefined) return;
        await peer.write(`${listener.port}\n`);
        const second = await listener.accept();
        const withoutTickets = line === 'without';
        await new Promise<void>((resolve) => second.secureFirst(tlsContext, resolve, { withoutTickets }));
        await second.write(second.secure?.sessionReused === true ? 'resumed' : 'new');
        second.end();
      }
    },
  });

  async function control(options: tls.ConnectionOptions) {
    const server = createServer(
      { protocol, listen: 'tls://127.0.0.1:0' },
      {
        tls: { ...makeCertificate('own.example'), byServerName: { 'other.example': makeCertificate('other.example') } },
      },
    );
    onTestFinished(() => server.close({ graceMs: 0 }));
    const [bound] = await server.listen();
    const socket = open(Number(/:(\d+)$/.exec(bound?.url ?? '')?.[1]), options);
    const [session] = (await once(socket, 'session')) as [Buffer];
    // Within that event Node's client is in the middle of a read, and what it writes waits for the next.
    await setImmediate();
    /** What another connection tells, and whether it brought a ticket. */
    const beside = async (line: 'with' | 'without', resumed?: Buffer) => {
      socket.write(`${line}\n`);
      const [port] = (await once(socket, 'data')) as [Buffer];
      const second = open(Number(String(port)), { ...options, ...(resumed === undefined ? {} : { session: resumed }) });
      let tickets = 0;
      let told = '';
      second.on('session', () => (tickets += 1)).on('data', (chunk: Buffer) => (told += String(chunk)));
      await once(second, 'close');
      return { told, hasTicket: tickets > 0 };
    };
    return { session, beside };
  }

  const open = (port: number, options: tls.ConnectionOptions): tls.TLSSocket => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    onTestFinished(() => void socket.destroy());
    // A client that does not read hears of no ticket.
    return socket.resume();
  };

  test.each([{}, { servername: 'other.example' }])('they give none in TLS 1.3, and others do (%o)', async (name) => {
    const { beside } = await control({ maxVersion: 'TLSv1.3', ...name });
    expect(await beside('without')).toEqual({ told: 'new', hasTicket: false });
    expect(await beside('with')).toEqual({ told: 'new', hasTicket: true });
    expect(await beside('without')).toEqual({ told: 'new', hasTicket: false });
  });

  test.each([
    { maxVersion: 'TLSv1.3' },
    { maxVersion: 'TLSv1.3', servername: 'other.example' },
    { maxVersion: 'TLSv1.2' },
    { maxVersion: 'TLSv1.2', servername: 'other.example' },
  ] as const)('a session is resumed in both (%o)', async (options) => {
    const { session, beside } = await control(options);
    expect((await beside('without', session)).told).toBe('resumed');
    expect((await beside('with', session)).told).toBe('resumed');
  });

  test('of another control connection none is', async () => {
    const { session } = await control({});
    const { beside } = await control({});
    expect((await beside('without', session)).told).toBe('new');
  });
});

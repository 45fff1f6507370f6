// A TLS 1.3 peer that sends, ends and is gone without having read anything. Python's ssl plays it: Node's always reads.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { eventually, lacks } from '../../src/testing/index.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MAX_HELD_BYTES, TicketHold } from '../../src/connection/ticket-hold.ts';
import { createServer, defineProtocol } from '../../src/index.ts';
import { makeCertificate } from '../../../../test/certificates.ts';

const CLIENT = `
import socket, ssl, sys
port, version, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
control = socket.create_connection(('127.0.0.1', port))
beside = int(control.makefile().readline())
context = ssl._create_unverified_context()
context.maximum_version = getattr(ssl.TLSVersion, version)
connection = context.wrap_socket(socket.create_connection(('127.0.0.1', beside)))
connection.sendall(b'x' * count)
connection.setblocking(False)
try: connection.unwrap()
except (ssl.SSLWantReadError, OSError): pass
connection.close()
control.recv(1)
`;

describe.skipIf(lacks('python3'))('with holdTickets', () => {
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
          { holdTickets: true },
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

describe('what is held is bounded', () => {
  /** A hold over a real socket, and what its peer has received of it. */
  async function held() {
    const server = net.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const peer = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    const [socket] = await accepted;
    let received = '';
    peer.setEncoding('latin1').on('data', (text: string) => (received += text));
    onTestFinished(() => {
      peer.destroy();
      server.close();
    });
    const hold = new TicketHold(socket);
    hold.hold();
    const write = (text: string): Promise<void> => new Promise((resolve) => hold.write(text, () => resolve()));
    return { hold, write, socket, peer, received: () => received };
  }

  test('as much as the limit stays here until the peer has ended', async () => {
    const { write, socket, peer, received } = await held();
    const most = 'x'.repeat(MAX_HELD_BYTES);
    await write(most);
    expect(socket.bytesWritten).toBe(0);
    peer.end();
    await eventually(() => received() === most);
  });

  test('of one byte more nothing stays, and what follows goes out at once', async () => {
    const { write, received } = await held();
    await write('t'.repeat(MAX_HELD_BYTES));
    await write('!');
    await write('more');
    await eventually(() => received() === `${'t'.repeat(MAX_HELD_BYTES)}!more`);
  });
});

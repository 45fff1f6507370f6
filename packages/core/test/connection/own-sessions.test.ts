// TLS sessions that belong to one connection, and certificates of clients.

import { once } from 'node:events';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  createServer,
  createTlsContext,
  defineProtocol,
  type Protocol,
  type Server,
  type TlsContext,
} from '../../src/index.ts';
import { makeCertificate, type TestCertificate } from '../../../../test/certificates.ts';

let own: TestCertificate;
let other: TestCertificate;
beforeAll(() => {
  own = makeCertificate('own.example');
  other = makeCertificate('other.example');
});

const running: Server[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close({ graceMs: 0 })));
});

/** Tells what was agreed on, and on `beside` listens for another connection of the same client, which tells the same. */
const teller = (tlsSessions: Protocol['tlsSessions']): Protocol =>
  defineProtocol({
    name: 'teller',
    port: 7,
    ...(tlsSessions === undefined ? {} : { tlsSessions }),
    async connection(peer, { secondary }) {
      await peer.write(`${JSON.stringify(peer.secure)}\n`);
      while ((await peer.readLine()) !== undefined) {
        const listener = await secondary.listen(peer, { connectTimeoutMs: 5_000 });
        if (listener === undefined) return;
        await peer.write(`${JSON.stringify({ port: listener.port })}\n`);
        const second = await listener.accept();
        const { tlsContext } = peer;
        if (tlsContext === undefined) return;
        await new Promise<void>((resolve) => second.secureFirst(tlsContext, resolve));
        await second.write(`${JSON.stringify(second.secure)}\n`);
        second.end();
      }
    },
  });

async function serve(
  protocol: Protocol,
  options: Parameters<typeof createTlsContext>[0] | TlsContext,
): Promise<number> {
  const server = createServer({ protocol, listen: 'tls://127.0.0.1:0' }, { tls: options });
  running.push(server);
  const [bound] = await server.listen();
  return Number(/:(\d+)$/.exec(bound?.url ?? '')?.[1]);
}

interface Told {
  readonly sessionReused: boolean;
  readonly clientCertificate?: { readonly commonName: string; readonly fingerprint256: string };
  readonly port: number;
}

async function connect(port: number, options: tls.ConnectionOptions = {}) {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  socket.on('session', (ticket: Buffer) => (session = ticket));
  const lines: string[] = [];
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    const parts = (text += String(chunk)).split('\n');
    text = parts.pop() ?? '';
    lines.push(...parts);
    socket.emit('line');
  });
  socket.on('close', () => socket.emit('line'));
  const tell = async (): Promise<Told> => {
    while (lines.length === 0) {
      if (socket.destroyed) throw new Error('the connection closed');
      await once(socket, 'line');
    }
    return JSON.parse(lines.shift() ?? '') as Told;
  };
  // In TLS 1.3 the ticket comes some time after the handshake.
  const ticket = async (): Promise<Buffer> => session ?? ((await once(socket, 'session')) as [Buffer])[0];
  return { socket, tell, ticket };
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
  const client = { minVersion: version, maxVersion: version };

  test.each([
    ['of each connection', 'connection', false],
    ['of the server', 'server', true],
  ] as const)('with sessions %s another connection resumes them: %s', async (_, tlsSessions, isResumed) => {
    const port = await serve(teller(tlsSessions), own);
    const first = await connect(port, client);
    expect((await first.tell()).sessionReused).toBe(false);
    const session = await first.ticket();
    const second = await connect(port, { ...client, session });
    expect((await second.tell()).sessionReused).toBe(isResumed);
    first.socket.destroy();
    second.socket.destroy();
  });

  test.each([undefined, 'other.example'])(
    'a connection beside it resumes its session, asked for as %s',
    async (name) => {
      const port = await serve(teller('connection'), { ...own, byServerName: { 'other.example': other } });
      const named = { ...client, ...(name === undefined ? {} : { servername: name }) };
      const first = await connect(port, named);
      await first.tell();
      first.socket.write('beside\n');
      const beside = await connect((await first.tell()).port, { ...named, session: await first.ticket() });
      expect((await beside.tell()).sessionReused).toBe(true);
      first.socket.destroy();
    },
  );
});

describe('the certificate of a client', () => {
  test('is told when it is trusted, also of a resumed session, and is undefined when it is not', async () => {
    const ann = makeCertificate('ann');
    const port = await serve(teller('connection'), { ...own, clientCertificates: { ca: ann.cert } });
    const first = await connect(port, { cert: ann.cert, key: ann.key });
    const told = await first.tell();
    expect(told.clientCertificate?.commonName).toBe('ann');
    expect(told.clientCertificate?.fingerprint256).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    first.socket.write('beside\n');
    const beside = await connect((await first.tell()).port, { session: await first.ticket() });
    expect(await beside.tell()).toMatchObject({ sessionReused: true, clientCertificate: { commonName: 'ann' } });
    for (const shown of [{}, { cert: other.cert, key: other.key }])
      expect(await (await connect(port, shown)).tell()).not.toHaveProperty('clientCertificate');
    first.socket.destroy();
  });

  test('that is required and missing, or not trusted, ends the handshake', async () => {
    const ann = makeCertificate('ann');
    const port = await serve(teller('server'), { ...own, clientCertificates: { ca: [ann.cert], required: true } });
    for (const shown of [{}, { cert: other.cert, key: other.key }])
      await expect((await connect(port, shown)).tell()).rejects.toThrow();
    const { tell, socket } = await connect(port, { cert: ann.cert, key: ann.key });
    expect((await tell()).clientCertificate?.commonName).toBe('ann');
    socket.destroy();
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is asked for again after a reload with other authorities, whatever session the client has (%s)',
    async (version) => {
      const [ann, bob] = [makeCertificate('ann'), makeCertificate('bob')];
      const rules = (trusted: TestCertificate) => ({
        ...own,
        clientCertificates: { ca: trusted.cert, required: true },
      });
      const context = createTlsContext(rules(ann));
      const port = await serve(teller('server'), context);
      const options = { minVersion: version, maxVersion: version, cert: ann.cert, key: ann.key };
      const first = await connect(port, options);
      await first.tell();
      const session = await first.ticket();
      const second = await connect(port, { ...options, session });
      expect((await second.tell()).sessionReused).toBe(true);
      context.setSecureContext(rules(bob));
      await expect((await connect(port, { ...options, session })).tell()).rejects.toThrow();
      context.setSecureContext(rules(ann));
      const again = await connect(port, options);
      expect((await again.tell()).clientCertificate?.commonName).toBe('ann');
      for (const { socket } of [first, second, again]) socket.destroy();
    },
  );

  test('needs authorities that are certificates', () => {
    for (const ca of ['', 'no PEM', []])
      expect(() => createTlsContext({ ...own, clientCertificates: { ca } })).toThrow("can't be used");
  });
});

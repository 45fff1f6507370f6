// TLS over real sockets, with Node's and OpenSSL's clients.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  createServer,
  createTlsContext,
  defineProtocol,
  WellknownError,
  type Connection,
  type Server,
  type ServerOptions,
} from '../../src/index.ts';
import { connectClient, createFakeClock, eventually } from '../../src/testing/index.ts';
import { makeCertificate, type TestCertificate } from '../../../../test/certificates.ts';
import { who, type Who } from '../fixtures/who.ts';

let own: TestCertificate;
let other: TestCertificate;
beforeAll(() => {
  own = makeCertificate('own.example');
  other = makeCertificate('other.example', '*.wild.example');
});

const running: Server[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close({ graceMs: 0 })));
});

async function serve(
  options: ServerOptions & { listen?: string },
  protocol = who,
): Promise<{ server: Server; url: string; port: number }> {
  const { listen = 'tls://127.0.0.1:0', ...rest } = options;
  const server = createServer({ protocol, listen }, rest);
  running.push(server);
  const [bound] = await server.listen();
  return { server, url: bound?.url ?? '', port: Number(/:(\d+)$/.exec(bound?.url ?? '')?.[1]) };
}

const reasons = async (server: Server): Promise<Readonly<Partial<Record<string, number>>>> =>
  (await server.status()).services[0]?.connections.closed ?? {};

/** Says lines over TLS and returns the answers; the subject's name is in front. */
async function ask(
  port: number,
  options: tls.ConnectionOptions = {},
  lines = ['who'],
): Promise<{ subject: string; who: Who; answers: string[]; session: Buffer | undefined }> {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  socket.on('session', (ticket: Buffer) => (session = ticket));
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'secureConnect');
  // A resumed session shows no certificate.
  const subject = String((socket.getPeerCertificate() as { subject?: { CN?: unknown } }).subject?.CN);
  socket.end(lines.map((line) => `${line}\n`).join(''));
  await once(socket, 'close');
  const answers = text.trimEnd().split('\n');
  return { subject, who: JSON.parse(lines[0] === 'who' ? (answers[0] ?? '{}') : '{}') as Who, answers, session };
}

/** Carries TLS from outside of the socket, so that bytes of other kinds can be put between its records. */
function withoutHandle(raw: net.Socket): Duplex {
  const carrier = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => void raw.write(chunk, () => done()),
  });
  raw.on('data', (chunk: Buffer) => carrier.push(chunk));
  raw.on('close', () => carrier.push(null));
  return carrier;
}

describe('a tls:// listener', () => {
  test('serves the protocol over TLS and says what was agreed on', async () => {
    const { url, port } = await serve({ tls: own });
    expect(url).toMatch(/^tls:\/\/127\.0\.0\.1:\d+$/);
    const answer = await ask(port, { servername: 'own.example', ALPNProtocols: ['other', 'who/1'] }, [
      'who',
      'over TLS',
    ]);
    expect(answer.subject).toBe('own.example');
    expect(answer.who.secure).toEqual({
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      serverName: 'own.example',
      alpn: 'who/1',
      sessionReused: false,
    });
    expect(answer.answers[1]).toBe('over TLS');
  });

  test('a protocol may speak first, before it has attached its sink, and may have the last word at once', async () => {
    const greeting = defineProtocol({
      name: 'greeting',
      port: 7,
      open: (connection: Connection) => (connection.send('welcome\n'), { data: () => undefined }),
    });
    const daytime = defineProtocol({
      name: 'daytime',
      port: 13,
      open: (connection: Connection) => (connection.end('now\n'), { data: () => undefined }),
    });
    for (const [protocol, expected] of [
      [greeting, 'welcome\n'],
      [daytime, 'now\n'],
    ] as const) {
      const { port } = await serve({ tls: own, proxyProtocol: ['192.0.2.1'] }, protocol as never);
      const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      expect(chunk.toString()).toBe(expected);
      socket.destroy();
    }
  });

  test('a half-closed client gets its whole answer', async () => {
    const big = 'x'.repeat(4_000);
    const { port } = await serve({ tls: own });
    const { answers } = await ask(
      port,
      {},
      Array.from({ length: 200 }, () => big),
    );
    expect(answers).toEqual(Array.from({ length: 200 }, () => big));
  });

  test('chooses the certificate by the name that the client asks for, exactly or by a wildcard of one label', async () => {
    const { port } = await serve({
      tls: { ...own, byServerName: { 'other.example': other, '*.wild.example': other } },
    });
    const subjects = await Promise.all(
      ['other.example', 'OTHER.example', 'a.wild.example', 'a.b.wild.example', 'wild.example', 'unknown.example'].map(
        async (servername) => (await ask(port, { servername })).subject,
      ),
    );
    expect(subjects).toEqual([
      'other.example',
      'other.example',
      'other.example',
      'own.example',
      'own.example',
      'own.example',
    ]);
    expect((await ask(port, { servername: '' })).subject).toBe('own.example');
  });

  test('takes new certificates without a restart; wrong ones change nothing', async () => {
    const context = createTlsContext(own);
    const { port } = await serve({ tls: context });
    const early = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(early, 'secureConnect');
    expect(() => context.setSecureContext({ cert: own.cert, key: other.key })).toThrow(WellknownError);
    expect((await ask(port)).subject).toBe('own.example');
    context.setSecureContext(other);
    expect((await ask(port)).subject).toBe('other.example');
    early.write('still here\n');
    const [chunk] = (await once(early, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('still here\n');
    early.destroy();
  });

  test('a session is resumed with the same ticket key, at another server too, and not after the key has changed', async () => {
    const key = Buffer.alloc(48, 7);
    const contexts = [createTlsContext(own), createTlsContext(own)];
    const servers = await Promise.all(contexts.map((context) => serve({ tls: context })));
    for (const context of contexts) context.setTicketKey(key);
    const first = await ask(servers[0]?.port ?? 0);
    expect(first.who.secure?.sessionReused).toBe(false);
    const resumed = await ask(servers[1]?.port ?? 0, { session: first.session! });
    expect(resumed.who.secure?.sessionReused).toBe(true);
    contexts[1]?.setSecureContext(own);
    expect((await ask(servers[1]?.port ?? 0, { session: first.session! })).who.secure?.sessionReused).toBe(true);
    contexts[1]?.setTicketKey(Buffer.alloc(48, 8));
    expect((await ask(servers[1]?.port ?? 0, { session: first.session! })).who.secure?.sessionReused).toBe(false);
  });

  test('a client that says nothing is ended by the handshake limit, and does not keep others waiting', async () => {
    const clock = createFakeClock();
    const { server, url, port } = await serve({ tls: own, clock });
    const silent = await connectClient(url);
    await eventually(async () => (await server.status()).services[0]?.connections.open === 1);
    expect((await ask(port)).subject).toBe('own.example');
    clock.advance(4_900);
    expect((await reasons(server))['handshake-timeout']).toBeUndefined();
    clock.advance(400);
    await silent.receiveAll();
    await eventually(async () => (await reasons(server))['handshake-timeout'] === 1);
  });

  test('what is no TLS, a client that leaves, and one with other protocols each end with a reason', async () => {
    const { server, url, port } = await serve({ tls: own });
    const plain = await connectClient(url);
    plain.send('GET / HTTP/1.1\r\n\r\n');
    await plain.receiveAll();
    const gone = await connectClient(url);
    gone.end();
    await gone.receiveAll();
    await expect(ask(port, { ALPNProtocols: ['h2'] })).rejects.toThrow();
    await expect(
      ask(port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL@SECLEVEL=0' }),
    ).rejects.toThrow();
    await eventually(async () => (await reasons(server))['handshake-error'] === 4);
  });

  test('a client that renegotiates TLS 1.2 is ended with a reason at the first time', async () => {
    const { server, port } = await serve({ tls: own });
    const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    client.on('error', () => undefined).resume();
    await once(client, 'secureConnect');
    client.renegotiate({}, () => undefined);
    await once(client, 'close');
    await eventually(async () => (await reasons(server))['tls-error'] === 1);
  });

  test('a record that cannot be decrypted ends the connection with a reason, and the error says what broke it', async () => {
    const peers: Connection[] = [];
    const protocol = defineProtocol({
      name: 'echo',
      port: 7,
      async connection(peer: Connection) {
        peers.push(peer);
        for await (const chunk of peer) await peer.write(chunk);
      },
    });
    const { server, port } = await serve({ tls: own }, protocol as never);
    const raw = net.connect({ port, host: '127.0.0.1' }).on('error', () => undefined);
    const client = tls.connect({ socket: withoutHandle(raw), rejectUnauthorized: false });
    client.on('error', () => undefined).write('before');
    await once(client, 'data');
    raw.write(Buffer.concat([Buffer.from('1703030020', 'hex'), Buffer.alloc(32, 0x5a)]));
    await once(raw, 'close');
    await eventually(async () => (await reasons(server))['tls-error'] === 1);
    expect(await reasons(server)).toEqual({ 'tls-error': 1 });
    expect(peers[0]?.error).toMatchObject({ code: 'TLS_FAILED', fault: 'remote' });
  });

  test('without a certificate, or with a key that is not its own, nothing starts', () => {
    expect(() => createServer({ protocol: who, listen: 'tls://127.0.0.1:0' })).toThrow(
      /needs a certificate.*option 'tls'/,
    );
    expect(() =>
      createServer({ protocol: who, listen: 'tls://127.0.0.1:0' }, { tls: { cert: own.cert, key: other.key } }),
    ).toThrow(/can't be used/);
    expect(() =>
      createServer(
        { protocol: who, listen: 'tls://127.0.0.1:0' },
        { tls: { ...own, byServerName: { 'a.example': { cert: 'no PEM', key: '' } } } },
      ),
    ).toThrow(/byServerName 'a\.example'/);
  });

  test.each([
    ['an empty certificate', () => ({ cert: '' }), 'the certificate is empty'],
    ['an empty key', () => ({ key: ' \n' }), 'the key is empty'],
    ['the key of another certificate', () => ({ key: other.key }), 'mismatch'],
    ['a key in the place of the certificate', () => ({ cert: own.key }), 'no start line'],
  ])('%s is refused at the start and later, and the old one serves on', async (_, wrong, hint) => {
    const contents = { ...own, ...wrong() };
    const refusal = expect.objectContaining({
      code: 'OPTION_INVALID',
      hint: expect.stringContaining(hint) as unknown,
    }) as unknown;
    expect(() => createTlsContext(contents)).toThrow(refusal);
    const context = createTlsContext(own);
    expect(() => context.setSecureContext(contents)).toThrow(refusal);
    const { port } = await serve({ tls: context });
    expect((await ask(port)).subject).toBe('own.example');
  });

  test('a certificate that has expired, or is not valid yet, is used, and the log says so once', async () => {
    const now = Date.now();
    const warnings = async (wallMs: number): Promise<unknown[]> => {
      const lines: unknown[] = [];
      const ignore = (): void => undefined;
      const warn = (_: object, message: string): void => void lines.push(message);
      const log = { debug: ignore, info: ignore, error: ignore, warn };
      const clock = createFakeClock({ wallMs });
      const { port } = await serve({ tls: { ...own, byServerName: { 'a.example': own } }, log, clock });
      expect((await ask(port)).subject).toBe('own.example');
      return lines;
    };
    expect(await warnings(now + 60_000)).toEqual([]);
    expect(await warnings(now + 3 * 86_400_000)).toEqual([
      expect.stringMatching(/^the certificate of CN=own\.example expired on .* GMT: clients will refuse it$/),
    ]);
    expect(await warnings(now - 86_400_000)).toEqual([
      expect.stringMatching(/^the certificate of CN=own\.example is not valid before .* GMT/),
    ]);
  });

  test('openssl s_client is served', async () => {
    const { port } = await serve({ tls: own });
    const answer = await sClient(
      ['-connect', `127.0.0.1:${port}`, '-servername', 'own.example', '-tls1_2'],
      ['hello from openssl'],
    );
    expect(answer).toContain('hello from openssl');
    expect(answer).toContain('CN = own.example');
  });
});

/** Runs openssl s_client, says lines once the handshake is done, and returns all of its output at the end. */
async function sClient(options: readonly string[], lines: readonly string[]): Promise<string> {
  const child = spawn('openssl', ['s_client', ...options], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.includes('hello from openssl')) child.stdin.end();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdin.write(lines.map((line) => `${line}\n`).join(''));
  await once(child, 'close');
  return output;
}

describe('the upgrade of a connection that began in clear', () => {
  const upgraded = async (port: number): Promise<tls.TLSSocket> => {
    const plain = net.connect({ port, host: '127.0.0.1' });
    plain.write('starttls\n');
    const [go] = (await once(plain, 'data')) as [Buffer];
    expect(go.toString()).toBe('go ahead\n');
    plain.removeAllListeners('data');
    const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
    await once(secure, 'secureConnect');
    return secure;
  };

  test('what is said before is in clear, what is said after is not, and the protocol goes on', async () => {
    const { server, port } = await serve({ tls: own, listen: 'tcp://127.0.0.1:0' });
    const secure = await upgraded(port);
    secure.write('who\n');
    const [answer] = (await once(secure, 'data')) as [Buffer];
    expect(JSON.parse(answer.toString())).toMatchObject({
      state: 'open',
      secure: { protocol: 'TLSv1.3', sessionReused: false },
    });
    secure.end();
    await once(secure, 'close');
    await eventually(async () => (await reasons(server)).finished === 1);
  });

  test('bytes that came before the handshake are refused, and never reach the protocol', async () => {
    const { server, url } = await serve({ tls: own, listen: 'tcp://127.0.0.1:0' });
    const client = await connectClient(url);
    client.send('starttls\nwho\n');
    expect(await client.receiveAll()).not.toContain('remote');
    await eventually(async () => (await reasons(server))['early-plaintext'] === 1);
  });

  test('bytes that a sink holds are refused too, and the error says how many', async () => {
    let failure: unknown;
    const protocol = defineProtocol({
      name: 'hot',
      port: 7,
      open: (connection: Connection) => ({
        data(chunk: Uint8Array) {
          const end = chunk.indexOf(10);
          connection.send('go ahead\n');
          connection.startTls({ unreadBytes: chunk.length - end - 1 }).catch((error: unknown) => (failure = error));
        },
      }),
    });
    const { server, url } = await serve({ tls: own, listen: 'tcp://127.0.0.1:0' }, protocol as never);
    const client = await connectClient(url);
    client.send('starttls\nRSET\n');
    await client.receiveAll();
    await eventually(async () => (await reasons(server))['early-plaintext'] === 1);
    expect(failure).toMatchObject({
      code: 'EARLY_PLAINTEXT',
      fault: 'remote',
      message: '5 bytes came in clear before the handshake',
    });
  });

  test('a client that does not begin the handshake is ended by its limit, one that begins another language by an error', async () => {
    const clock = createFakeClock();
    const { server, url } = await serve({ tls: own, clock, listen: 'tcp://127.0.0.1:0' });
    const silent = await connectClient(url);
    silent.send('starttls\n');
    await silent.receive('go ahead\n');
    const wrong = await connectClient(url);
    wrong.send('starttls\n');
    await wrong.receive('go ahead\n');
    wrong.send('EHLO me\n');
    await wrong.receiveAll();
    await eventually(async () => (await reasons(server))['handshake-error'] === 1);
    clock.advance(5_300);
    await silent.receiveAll();
    await eventually(async () => (await reasons(server))['handshake-timeout'] === 1);
  });

  test('what a slow peer has not taken yet leaves in clear before the handshake, what is said meanwhile does not', async () => {
    const words = 'x'.repeat(8 * 1024 * 1024);
    const protocol = defineProtocol({
      name: 'flood',
      port: 7,
      async connection(peer: Connection) {
        await peer.readLine();
        void peer.write(words).catch(() => undefined);
        const upgraded = peer.startTls();
        await peer.write('secret\n');
        await peer.write('x'.repeat(100_000));
        await upgraded;
        await peer.write('and more\n');
        await peer.readLine();
      },
    });
    const { port } = await serve({ tls: own, listen: 'tcp://127.0.0.1:0' }, protocol as never);
    const plain = net.connect({ port, host: '127.0.0.1' });
    plain.write('starttls\n');
    let received = 0;
    while (received < words.length) {
      await once(plain, 'readable');
      for (let chunk = plain.read() as Buffer | null; chunk !== null; chunk = plain.read() as Buffer | null)
        received += chunk.length;
    }
    expect(received).toBe(words.length);
    const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
    let text = '';
    secure.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await eventually(() => text === `secret\n${'x'.repeat(100_000)}and more\n`);
    secure.destroy();
  });

  test('an upgrade without a certificate, or a second one, is an error of the program', async () => {
    const failures: unknown[] = [];
    const protocol = defineProtocol({
      name: 'twice',
      port: 7,
      async connection(peer: Connection) {
        await peer.readLine();
        for (let attempt = 0; attempt < 2; attempt += 1)
          await peer.startTls().catch((error: unknown) => failures.push(error));
      },
    });
    const none = await serve({ listen: 'tcp://127.0.0.1:0' }, protocol as never);
    const client = await connectClient(none.url);
    client.send('x\n');
    client.end();
    await client.receiveAll();
    const secure = await serve({ tls: own }, protocol as never);
    await ask(secure.port, {}, ['x']);
    expect(failures).toHaveLength(4);
    expect(failures.every((failure) => failure instanceof WellknownError && failure.code === 'WRONG_STATE')).toBe(true);
  });

  test('any bytes after the upgrade end in a close with a reason, and the next client is served', async () => {
    const { server, url, port } = await serve({ tls: own, listen: 'tcp://127.0.0.1:0' });
    for (const bytes of [
      '\x16\x03\x01\x02\x00',
      '\x16\x03\x01\x00\x05hello',
      '\x80\x80\x01',
      '\0'.repeat(70_000),
      '\x15\x03\x03\x00\x02\x02\x28',
    ]) {
      const client = await connectClient(url);
      client.send('starttls\n');
      await client.receive('go ahead\n');
      client.send(bytes);
      client.end();
      await client.receiveAll();
    }
    await eventually(async () => (await reasons(server))['handshake-error'] === 5);
    const secure = await upgraded(port);
    secure.destroy();
  });
});

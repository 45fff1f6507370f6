// FTPS over real sockets, with Node's own TLS client: what each byte leads to. Real clients are in tls-clients.test.ts.

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { createTlsContext } from '@wellknown/core';
import { eventually } from '@wellknown/core/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate, type TestCertificate } from '../../../test/certificates.ts';
import {
  createFtpServer,
  memoryFileSystem,
  type Authenticate,
  type FileSystem,
  type TransferReport,
} from '../src/index.ts';
import { readAll, withServer } from './ftp-session.ts';
import { openPrivate, openTls, portOf, repliesOf } from './tls-session.ts';

const BIG = Buffer.alloc(4 * 1024 * 1024, 'abcdefghij');
const files = (): FileSystem => memoryFileSystem({ files: { '/big': BIG, '/a.txt': 'hello\n' } });

let own: TestCertificate;
beforeAll(() => {
  own = makeCertificate('ftp.example');
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
  const client = { minVersion: version, maxVersion: version };

  test('a download and an upload go over private connections that resume the session', async () => {
    const reports: TransferReport[] = [];
    const fileSystem = files();
    await withServer({ fileSystem, tls: own, onTransfer: (report) => reports.push(report) }, async (url) => {
      const session = await openPrivate({ url, tls: client });
      expect(session.socket.getProtocol()).toBe(version);
      const down = await session.openData();
      expect(await session.say('RETR big')).toMatch(/^150 /);
      const from = await down.secured();
      expect(from.isSessionReused()).toBe(true);
      expect((await readAll(from)).equals(BIG)).toBe(true);
      expect(await session.hear()).toMatch(/^226 /);
      const up = await session.openData();
      expect(await session.say('STOR up')).toMatch(/^150 /);
      const to = await up.secured();
      expect(to.isSessionReused()).toBe(true);
      to.end(BIG);
      expect(await session.hear()).toMatch(/^226 /);
      expect(await session.say('SIZE up')).toBe(`213 ${BIG.length}\r\n`);
      expect(reports.map(({ isPrivate, isComplete }) => [isPrivate, isComplete])).toEqual([
        [true, true],
        [true, true],
      ]);
      session.socket.destroy();
    });
  });

  test('a client that never reads while it uploads, and closes without a word of TLS, loses nothing', async () => {
    const fileSystem = files();
    await withServer({ fileSystem, tls: own }, async (url) => {
      const session = await openPrivate({ url, tls: client });
      const data = await session.openData();
      expect(await session.say('STOR up')).toMatch(/^150 /);
      const to = await data.secured('fresh');
      to.pause();
      await new Promise<void>((resolve) => to.write(BIG, () => resolve()));
      // The end of the TCP connection alone, as devices do it.
      data.raw.end();
      expect(await session.hear()).toMatch(/^226 /);
      expect(await session.say('SIZE up')).toBe(`213 ${BIG.length}\r\n`);
      session.socket.destroy();
    });
  });

  test('require: a data connection that does not resume is refused with 522, one that does is served', () =>
    withServer({ fileSystem: files(), tls: own, tlsSessionReuse: 'require' }, async (url) => {
      const session = await openPrivate({ url, tls: client });
      const fresh = await session.openData();
      expect(await session.say('RETR a.txt')).toMatch(/^150 /);
      await fresh.secured('fresh').catch(() => undefined);
      expect(await session.hear()).toMatch(/^522 /);
      const resumed = await session.openData();
      expect(await session.say('RETR a.txt')).toMatch(/^150 /);
      expect(String(await readAll(await resumed.secured()))).toBe('hello\n');
      expect(await session.hear()).toMatch(/^226 /);
      session.socket.destroy();
    }));

  test('require: the session of another control connection is no proof', () =>
    withServer({ fileSystem: files(), tls: own, tlsSessionReuse: 'require' }, async (url) => {
      const thief = await openPrivate({ url, tls: client });
      const victim = await openPrivate({ url, tls: client });
      const ticket = await thief.ticket();
      const { raw } = await victim.openData();
      expect(await victim.say('RETR a.txt')).toMatch(/^150 /);
      const stolen = tls.connect({ socket: raw, rejectUnauthorized: false, ...client, session: ticket });
      stolen.on('error', () => undefined);
      expect(await victim.hear()).toMatch(/^522 /);
      thief.socket.destroy();
      victim.socket.destroy();
    }));
});

test('a TLS connection that begins at once is private, its data too, without a word', () =>
  withServer({ fileSystem: files(), tls: own, listen: 'tls://127.0.0.1:0' }, async (url) => {
    const session = await openTls({ url, implicit: true });
    await session.say('USER ann');
    expect(await session.say('PASS secret')).toMatch(/^230 /);
    expect(await session.say('AUTH TLS')).toMatch(/^503 /);
    const data = await session.openData();
    expect(await session.say('RETR a.txt')).toMatch(/^150 /);
    expect(String(await readAll(await data.secured()))).toBe('hello\r\n');
    expect(await session.hear()).toMatch(/^226 /);
    session.socket.destroy();
  }));

test('the authenticator is told which host was named: by HOST before AUTH, or by the handshake', async () => {
  const hosts: (string | undefined)[] = [];
  const authenticate: Authenticate = ({ host }) => {
    hosts.push(host);
    return {};
  };
  const listen = ['tcp://127.0.0.1:0', 'tls://127.0.0.1:0'];
  await using server = createFtpServer({ fileSystem: files(), tls: own, authenticate, listen });
  const [clear, secure] = await server.listen();
  const sessions = [
    await openTls({ url: clear?.url ?? '', before: ['HOST ftp.example'] }),
    await openTls({ url: clear?.url ?? '', before: ['HOST ftp.example'], tls: { servername: 'other.example' } }),
    await openTls({ url: secure?.url ?? '', implicit: true, tls: { servername: 'other.example' } }),
    // What HOST would refuse, the handshake can't name either.
    await openTls({ url: secure?.url ?? '', implicit: true, tls: { servername: '../../etc' } }),
  ];
  for (const session of sessions) {
    await session.say('USER ann');
    expect(await session.say('PASS secret')).toMatch(/^230 /);
    session.socket.destroy();
  }
  expect(hosts).toEqual(['ftp.example', 'other.example', 'other.example', undefined]);
  await server.close({ graceMs: 0 });
});

test('active data connections are private too, the handshake being ours to answer', () =>
  withServer({ fileSystem: files(), tls: own }, async (url) => {
    const session = await openPrivate({ url });
    const listener = net.createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as net.AddressInfo;
    expect(await session.say(`EPRT |1|127.0.0.1|${port}|`)).toMatch(/^200 /);
    session.socket.write('RETR a.txt\r\n');
    const [raw] = (await once(listener, 'connection')) as [net.Socket];
    const data = tls.connect({ socket: raw, rejectUnauthorized: false });
    expect(String(await readAll(data))).toBe('hello\n');
    expect(await session.hear()).toMatch(/^150 /);
    expect(await session.hear()).toMatch(/^226 /);
    listener.close();
    session.socket.destroy();
  }));

describe('what was sent before the handshake', () => {
  const saying = async (url: string, text: string): Promise<{ heard: () => string; raw: net.Socket }> => {
    const raw = net.connect(portOf(url), '127.0.0.1');
    let heard = '';
    raw.on('data', (chunk: Buffer) => (heard += String(chunk)));
    raw.on('error', () => undefined);
    await once(raw, 'data');
    raw.write(text, 'latin1');
    return { heard: () => heard, raw };
  };

  test.each([
    'AUTH TLS\r\nNOOP\r\n',
    'AUTH TLS\r\nNO',
    'AUTH TLS\r\n\r\n',
    // The beginning of a Telnet command: it would take from what is private.
    'AUTH TLS\r\n\xff',
    'AUTH TLS\r\n\xff\xfa',
  ])('%j ends the connection, and nothing of it is answered', (text) =>
    withServer({ fileSystem: files(), tls: own }, async (url, server) => {
      const { heard, raw } = await saying(url, text);
      await once(raw, 'close');
      expect(heard()).not.toMatch(/^200 /m);
      const closed = (await server.status()).services[0]?.connections.closed;
      expect(closed?.['early-plaintext']).toBe(1);
    }),
  );

  test('in a segment of its own, behind AUTH, fails the handshake', () =>
    withServer({ fileSystem: files(), tls: own }, async (url) => {
      const { heard, raw } = await saying(url, 'AUTH TLS\r\n');
      await eventually(() => heard().includes('234 '));
      raw.write('NOOP\r\n');
      await once(raw, 'close');
      expect(heard()).not.toMatch(/^200 /m);
    }));
});

describe('rules', () => {
  test('nobody logs in in clear where TLS is required', () =>
    withServer({ fileSystem: files(), tls: own, requireTls: 'data' }, async (url) => {
      const raw = net.connect(portOf(url), '127.0.0.1');
      const hear = repliesOf(raw);
      await hear();
      raw.write('USER ann\r\n');
      expect(await hear()).toMatch(/^530 .*AUTH TLS/);
      raw.destroy();
      const session = await openTls({ url });
      await session.say('USER ann');
      expect(await session.say('PASS secret')).toMatch(/^230 /);
      expect(await session.say('EPSV')).toMatch(/^229 /);
      expect(await session.say('LIST')).toMatch(/^521 /);
      session.socket.destroy();
    }));

  test('without a certificate AUTH is 502, and requiring TLS is a mistake', async () => {
    await withServer({ fileSystem: files() }, async (url) => {
      const raw = net.connect(portOf(url), '127.0.0.1');
      const hear = repliesOf(raw);
      await hear();
      raw.write('AUTH TLS\r\n');
      expect(await hear()).toMatch(/^502 /);
      raw.destroy();
    });
    expect(() => createFtpServer({ fileSystem: files(), requireTls: 'control' })).toThrow("option 'tls'");
  });

  test('a data connection that speaks no TLS is answered 425, and the session goes on', () =>
    withServer({ fileSystem: files(), tls: own }, async (url) => {
      const session = await openPrivate({ url });
      const { raw } = await session.openData();
      expect(await session.say('STOR up')).toMatch(/^150 /);
      raw.end('in clear');
      expect(await session.hear()).toMatch(/^425 /);
      expect(await session.say('SIZE up')).toMatch(/^550 /);
      session.socket.destroy();
    }));

  test('an HTTP request over TLS is ended at its first line', () =>
    withServer({ fileSystem: files(), tls: own, listen: 'tls://127.0.0.1:0' }, async (url) => {
      const session = await openTls({ url, implicit: true });
      expect(await session.say('GET / HTTP/1.1')).toMatch(/^421 /);
      session.socket.destroy();
    }));
});

describe('certificates', () => {
  test('new ones are for the sessions to come', async () => {
    const other = makeCertificate('other.example');
    const context = createTlsContext(own);
    await withServer({ fileSystem: files(), tls: context }, async (url) => {
      const subject = async (): Promise<unknown> => {
        const { socket } = await openTls({ url });
        const { CN } = (socket.getPeerCertificate() as { subject: { CN: string } }).subject;
        socket.destroy();
        return CN;
      };
      expect(await subject()).toBe('ftp.example');
      context.setSecureContext(other);
      expect(await subject()).toBe('other.example');
    });
  });

  test('of a client: asked for, checked, and refused where it is required and not trusted', async () => {
    const ann = makeCertificate('ann');
    const mallory = makeCertificate('mallory');
    const withRule = (required: boolean): Parameters<typeof withServer>[0] => ({
      fileSystem: files(),
      tls: { ...own, clientCertificates: { ca: ann.cert, required } },
    });
    const works = async (url: string, shown?: TestCertificate): Promise<boolean> =>
      openPrivate({ url, tls: shown === undefined ? {} : { cert: shown.cert, key: shown.key } }).then(
        ({ socket }) => (socket.destroy(), true),
        () => false,
      );
    await withServer(withRule(true), async (url) => {
      expect(await works(url, ann)).toBe(true);
      expect(await works(url, mallory)).toBe(false);
      expect(await works(url)).toBe(false);
    });
    await withServer(withRule(false), async (url) => {
      expect(await works(url)).toBe(true);
      expect(await works(url, mallory)).toBe(true);
    });
  });
});

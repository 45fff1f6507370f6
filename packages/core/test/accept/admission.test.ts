// What is admitted, and how fast: over real sockets, with HAProxy in front, and with few file descriptors.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import dgram from 'node:dgram';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildProxyHeader, type ProxyHeader } from '../../src/proxy-protocol/index.ts';
import { createServer, defineProtocol, type Server, type ServerOptions } from '../../src/index.ts';
import { createExecServer } from '../../src/inetd/exec-server.ts';
import {
  connectClient,
  createFakeClock,
  eventually,
  lacks,
  startProgram,
  unusedAddress,
  type Client,
  type Program,
  type UnusedAddress,
} from '../../src/testing/index.ts';
import { makeCertificate, type TestCertificate } from '../../../../test/certificates.ts';
import { who, type Who } from '../fixtures/who.ts';
import { programArguments } from '../../../../test/programs.ts';

const PROGRAM = programArguments('packages/core/test/fixtures/who-program.ts');

let certificate: TestCertificate;
beforeAll(() => {
  certificate = makeCertificate('own.example');
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function serve(
  options: ServerOptions & { listen?: string },
): Promise<{ server: Server; url: string; port: number }> {
  const { listen = 'tcp://127.0.0.1:0', ...rest } = options;
  const server = createServer({ protocol: who, listen }, rest);
  closing.push(() => server.close({ graceMs: 0 }));
  const [bound] = await server.listen();
  return { server, url: bound?.url ?? '', port: Number(/:(\d+)$/.exec(bound?.url ?? '')?.[1]) };
}

async function program(...options: string[]): Promise<Program & { url: string }> {
  const started = await startProgram([...PROGRAM, '--drain-timeout', '0.1', ...options]);
  closing.push(() => started.stop());
  return { ...started, url: started.endpoints.who?.[0] ?? '' };
}

const reasons = async (server: Server): Promise<Readonly<Partial<Record<string, number>>>> =>
  (await server.status()).services[0]?.connections.closed ?? {};
const openCount = async (server: Server): Promise<number> => (await server.status()).services[0]?.connections.open ?? 0;

async function askWho(client: Client): Promise<Who> {
  client.send('who\n');
  return JSON.parse(await client.receive('\n')) as Who;
}

const fromFar: ProxyHeader = {
  version: 2,
  command: 'proxy',
  tlvs: [],
  source: { family: 'ipv4', address: '203.0.113.9', port: 4000 },
  destination: { family: 'ipv4', address: '198.51.100.1', port: 80 },
};

describe('the PROXY protocol', () => {
  test("a trusted peer must speak it, and the connection is its client's from then on", async () => {
    const { server, url } = await serve({ proxyProtocol: ['127.0.0.0/8'] });
    const client = await connectClient(url);
    client.send(Buffer.concat([buildProxyHeader(fromFar), Buffer.from('who\n')]));
    expect(JSON.parse(await client.receive('\n'))).toMatchObject({
      remote: '203.0.113.9:4000',
      local: '198.51.100.1:80',
      peer: `127.0.0.1:${client.localPort}`,
      proxyVersion: 2,
    });
    const rude = await connectClient(url);
    rude.send('who\n');
    expect(await rude.receiveAll()).toBe('');
    await eventually(async () => (await reasons(server))['proxy-error'] === 1);
  });

  test('of a peer that is not trusted a header is just bytes for the protocol', async () => {
    const { url } = await serve({ proxyProtocol: ['192.0.2.0/24'] });
    const client = await connectClient(url);
    client.send('PROXY TCP4 203.0.113.9 198.51.100.1 4000 80\r\n');
    expect(await client.receive('\n')).toBe('PROXY TCP4 203.0.113.9 198.51.100.1 4000 80\n');
    expect((await askWho(client)).remote).toBe(`127.0.0.1:${client.localPort}`);
  });

  test('limits and rules are for the client, not for the proxy', async () => {
    const { server, url } = await serve({
      proxyProtocol: ['127.0.0.1'],
      deny: ['203.0.113.0/24', '127.0.0.0/8'],
      limits: { maxConnectionsPerAddress: 1 },
    });
    const connectAs = async (address: string): Promise<Client> => {
      const client = await connectClient(url);
      client.send(buildProxyHeader({ ...fromFar, version: 1, source: { family: 'ipv4', address, port: 1 } }));
      return client;
    };
    expect((await askWho(await connectAs('192.0.2.1'))).remote).toBe('192.0.2.1:1');
    expect((await askWho(await connectAs('192.0.2.2'))).remote).toBe('192.0.2.2:1');
    expect(await (await connectAs('192.0.2.1')).receiveAll()).toBe('refused address-limit\n');
    expect(await (await connectAs('203.0.113.9')).receiveAll()).toBe('');
    await eventually(
      async () => JSON.stringify(await reasons(server)) === JSON.stringify({ 'address-limit': 1, denied: 1 }),
    );
    const probe = await connectClient(url);
    probe.send(buildProxyHeader({ version: 2, command: 'local', tlvs: [] }));
    expect((await askWho(probe)).remote).toContain('127.0.0.1');
    await eventually(async () => (await openCount(server)) === 3);
  });

  test.each([
    [1, 'PROXY UNKNOWN\r\n'],
    [1, 'PROXY UNKNOWN 192.0.2.1 192.0.2.2 1 2\r\n'],
    [2, buildProxyHeader({ version: 2, command: 'proxy', tlvs: [] })],
  ] as const)(
    "a client that version %s does not name passes by no rule: the connection's own address counts (%j)",
    async (_, header) => {
      const ask = async (url: string): Promise<string> => {
        const client = await connectClient(url);
        client.send(Buffer.concat([Buffer.from(header), Buffer.from('who\n')]));
        return client.receiveAll();
      };
      const allowing = { proxyProtocol: ['127.0.0.1'], limits: { maxConnectionsPerAddress: 1 } };
      const { server, url } = await serve({ ...allowing, allow: ['192.0.2.0/24'] });
      expect(await ask(url)).toBe('');
      await eventually(async () => (await reasons(server)).denied === 1);
      const limited = await serve({ ...allowing, allow: ['192.0.2.0/24', '127.0.0.1'] });
      const first = await connectClient(limited.url);
      first.send(header);
      expect((await askWho(first)).remote).toContain('127.0.0.1');
      expect(await ask(limited.url)).toBe('refused address-limit\n');
    },
  );

  test('a proxy that says nothing is ended by its own limit', async () => {
    const clock = createFakeClock();
    const { server, url } = await serve({ proxyProtocol: ['127.0.0.1'], clock });
    const silent = await connectClient(url);
    await eventually(async () => (await openCount(server)) === 1);
    clock.advance(3_300);
    await silent.receiveAll();
    await eventually(async () => (await reasons(server))['proxy-timeout'] === 1);
  });

  test('goes before TLS, in one segment with the first record too', async () => {
    const { port } = await serve({ listen: 'tls://127.0.0.1:0', tls: certificate, proxyProtocol: ['127.0.0.1'] });
    const plain = net.connect({ port, host: '127.0.0.1' });
    plain.cork();
    plain.write(buildProxyHeader(fromFar));
    const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
    setImmediate(() => plain.uncork());
    await once(secure, 'secureConnect');
    secure.write('who\n');
    const [answer] = (await once(secure, 'data')) as [Buffer];
    expect(JSON.parse(answer.toString())).toMatchObject({
      remote: '203.0.113.9:4000',
      secure: { protocol: 'TLSv1.3' },
    });
    secure.destroy();
  });

  test('is refused where only datagrams are served', () => {
    const protocol = defineProtocol({ name: 'datagrams', port: 7, datagrams: () => () => undefined });
    expect(() => createServer({ protocol, listen: 'udp://127.0.0.1:0' }, { proxyProtocol: ['127.0.0.1'] })).toThrow(
      /datagrams only/,
    );
  });
});

describe.skipIf(lacks('haproxy'))('HAProxy in front', () => {
  /** Starts HAProxy with one TCP frontend and resolves with its address. */
  async function haproxy(backend: string, bind = ''): Promise<UnusedAddress> {
    const { host, port } = await unusedAddress();
    const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-haproxy-'));
    const config = path.join(folder, 'haproxy.cfg');
    writeFileSync(
      config,
      `defaults\n mode tcp\n timeout connect 5s\n timeout client 20s\n timeout server 20s\nfrontend front\n bind ${host}:${port} ${bind}\n default_backend back\nbackend back\n server one ${backend}\n`,
    );
    const child: ChildProcess = spawn('/usr/sbin/haproxy', ['-db', '-f', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    closing.push(async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    });
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(stderr);
      return new Promise((resolve) =>
        net
          .connect(port, host)
          .once('connect', function connected(this: net.Socket) {
            this.destroy();
            resolve(true);
          })
          .once('error', () => resolve(false)),
      );
    });
    return { host, port };
  }

  test.each([
    ['send-proxy', 1],
    ['send-proxy-v2', 2],
    ['send-proxy-v2 proxy-v2-options crc32c,unique-id', 2],
  ])('%s tells the client', async (option, version) => {
    const { port } = await serve({ proxyProtocol: ['127.0.0.1'] });
    const front = await haproxy(`127.0.0.1:${port} ${option}`);
    const client = await connectClient(`tcp://${front.host}:${front.port}`);
    const answer = await askWho(client);
    expect(answer).toMatchObject({
      remote: `127.0.0.1:${client.localPort}`,
      local: `${front.host}:${front.port}`,
      proxyVersion: version,
    });
    expect(answer.peer).not.toBe(answer.remote);
    client.reset();
  });

  test('its health checks (LOCAL) are served', async () => {
    const { server, port } = await serve({ proxyProtocol: ['127.0.0.1'], allow: ['203.0.113.0/24'] });
    await haproxy(`127.0.0.1:${port} check inter 50 send-proxy-v2 check-send-proxy`);
    await eventually(
      async () => Object.values(await reasons(server)).reduce<number>((sum, count) => sum + (count ?? 0), 0) >= 3,
    );
    expect(
      Object.keys(await reasons(server)).filter(
        (reason) => reason !== 'finished' && reason !== 'peer-reset' && reason !== 'denied',
      ),
    ).toEqual([]);
  });
});

describe('allow and deny', () => {
  test('who is denied is turned away in silence, with a reason; the more specific rule lets in', async () => {
    const { server, url } = await serve({ deny: ['127.0.0.0/8'], allow: ['127.0.0.2/32'] });
    const denied = await connectClient(url);
    expect(await denied.receiveAll()).toBe('');
    await eventually(async () => (await reasons(server)).denied === 1);
    const socket = net.connect({
      port: Number(/:(\d+)$/.exec(url)?.[1]),
      host: '127.0.0.1',
      localAddress: '127.0.0.2',
    });
    socket.write('hello\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('hello\n');
    socket.destroy();
  });

  test('holds for datagrams too', async () => {
    const protocol = defineProtocol({
      name: 'datagrams',
      port: 7,
      datagrams: (socket) => (message, source) => void socket.send(Buffer.from(message), source.port, source.address),
    });
    const server = createServer({ protocol, listen: 'udp://127.0.0.1:0' }, { deny: ['127.0.0.3'] });
    closing.push(() => server.close({ graceMs: 0 }));
    const [bound] = await server.listen();
    const port = Number(/:(\d+)$/.exec(bound?.url ?? '')?.[1]);
    const [denied, allowed] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')];
    await new Promise<void>((resolve) => denied.bind(0, '127.0.0.3', resolve));
    denied.send('no', port, '127.0.0.1');
    await eventually(async () => (await server.status()).services[0]?.counters.denied === 1);
    allowed.send('yes', port, '127.0.0.1');
    const [message] = (await once(allowed, 'message')) as [Buffer];
    expect(message.toString()).toBe('yes');
    denied.close();
    allowed.close();
  });
});

describe('accept rates', () => {
  test('an address that connects too often is turned away, and admitted again when time has passed', async () => {
    const clock = createFakeClock();
    const { server, url } = await serve({ clock, limits: { maxAcceptsPerSecondPerAddress: 2 } });
    const echo = async (): Promise<string> => {
      const client = await connectClient(url);
      client.send('hello\n');
      const answer = await client.receive('\n');
      client.reset();
      return answer;
    };
    expect([await echo(), await echo(), await echo()]).toEqual(['hello\n', 'hello\n', 'refused address-limit\n']);
    clock.advance(500);
    expect([await echo(), await echo()]).toEqual(['hello\n', 'refused address-limit\n']);
    await eventually(async () => (await reasons(server))['address-rate'] === 2);
  });

  test('connections that come too fast wait, and are all served in time', async () => {
    const clock = createFakeClock();
    const { server, url } = await serve({ clock, limits: { maxAcceptsPerSecond: 4 } });
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectClient(url)));
    await eventually(async () => (await server.status()).services[0]?.connections.accepted === 10);
    expect((await server.status()).services[0]?.connections).toMatchObject({ open: 4, waiting: 6 });
    clock.advance(1_000);
    expect((await server.status()).services[0]?.connections).toMatchObject({ open: 8, waiting: 2 });
    clock.advance(1_000);
    for (const client of clients) {
      client.send('served\n');
      expect(await client.receive('\n')).toBe('served\n');
    }
  });

  test('the rate of an address is counted over all workers', async () => {
    const { url } = await program('--workers', '2', '--listen', 'tcp://127.0.0.1:0', '--max-rate-per-ip', '5');
    const beganAtMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const client = await connectClient(url);
        client.send('hello\n');
        return client.receive('\n');
      }),
    );
    const served = answers.filter((answer) => answer === 'hello\n').length;
    expect(served).toBeGreaterThanOrEqual(5);
    // A few more come in while the test runs: five for each second.
    expect(served).toBeLessThanOrEqual(5 + Math.ceil(((performance.now() - beganAtMs) / 1_000) * 5));
    await eventually(async () => {
      const client = await connectClient(url);
      client.send('hello\n');
      return (await client.receive('\n')) === 'hello\n';
    });
  });
});

describe('file descriptors', () => {
  test("a process that has hardly any left says so in the protocol's words, and serves again when there are some", async () => {
    const child = spawn(
      'prlimit',
      [
        '--nofile=100:100',
        process.execPath,
        ...PROGRAM,
        '--workers',
        '0',
        '--listen',
        'tcp://127.0.0.1:0',
        '--log-format',
        'json',
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    closing.push(async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    await eventually(() => stdout.includes('ready\n'));
    const url = /tcp:\S+/.exec(stdout)?.[0] ?? '';
    const clients = await Promise.all(Array.from({ length: 120 }, () => connectClient(url)));
    const answers = await Promise.all(
      clients.map(async (client) => {
        client.send('hello\n');
        return client.receive('\n').catch((error: unknown) => String(error));
      }),
    );
    const served = answers.filter((answer) => answer === 'hello\n').length;
    expect(served).toBeGreaterThan(30);
    expect(served).toBeLessThan(90);
    expect(answers.filter((answer) => answer === 'refused queue-limit\n')).toHaveLength(120 - served);
    await eventually(() => stderr.includes('hardly any file descriptors are left'));
    for (const client of clients) client.reset();
    await eventually(async () => {
      const client = await connectClient(url);
      client.send('again\n');
      return (await client.receive('\n').catch(() => '')) === 'again\n';
    });
  });
});

describe('TLS on the command line', () => {
  const subjectOf = async (
    url: string,
    session?: Buffer,
  ): Promise<{ serial: string; session: Buffer | undefined; who: Who }> => {
    const socket = tls.connect({
      port: Number(/:(\d+)$/.exec(url)?.[1]),
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...(session === undefined ? {} : { session }),
    });
    let ticket: Buffer | undefined;
    socket.on('session', (given: Buffer) => (ticket = given));
    await once(socket, 'secureConnect');
    const serial = (socket.getPeerCertificate() as { serialNumber?: string }).serialNumber ?? '';
    socket.write('who\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.end();
    await once(socket, 'close');
    return { serial, session: ticket, who: JSON.parse(answer.toString()) as Who };
  };

  test('all workers take the session tickets of one another', async () => {
    const { url } = await program(
      '--workers',
      '2',
      '--listen',
      'tls://127.0.0.1:0',
      '--tls-cert',
      certificate.certFile,
      '--tls-key',
      certificate.keyFile,
    );
    expect(url).toMatch(/^tls:/);
    const { session, who: first } = await subjectOf(url);
    const seen = new Set([first.pid]);
    await eventually(async () => {
      const { who: later } = await subjectOf(url, session);
      expect(later.secure?.sessionReused).toBe(true);
      seen.add(later.pid);
      return seen.size === 2;
    });
  });

  test('HUP reads the certificates again, with workers and without; a wrong one leaves the old', async () => {
    for (const workers of ['0', '1']) {
      const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-tls-'));
      const [cert, key] = [path.join(folder, 'cert'), path.join(folder, 'key')];
      const use = ({ cert: certText, key: keyText }: TestCertificate): void => {
        writeFileSync(cert, certText);
        writeFileSync(key, keyText);
      };
      use(certificate);
      const running = await program(
        '--workers',
        workers,
        '--listen',
        'tls://127.0.0.1:0',
        '--tls-cert',
        cert,
        '--tls-key',
        key,
      );
      const { serial } = await subjectOf(running.url);
      writeFileSync(key, 'no key at all');
      running.signal('SIGHUP');
      await eventually(() => running.stderr().includes("can't be used together"));
      expect((await subjectOf(running.url)).serial).toBe(serial);
      use(makeCertificate('new.example'));
      running.signal('SIGHUP');
      await eventually(async () => (await subjectOf(running.url)).serial !== serial);
    }
  });

  test('files that are not there end it with status 2 and the name of the option', async () => {
    await expect(
      program('--listen', 'tls://127.0.0.1:0', '--tls-cert', '/nowhere.pem', '--tls-key', certificate.keyFile),
    ).rejects.toThrow(/status 2.*--tls-cert '\/nowhere\.pem' can't be read/);
    await expect(program('--listen', 'tls://127.0.0.1:0')).rejects.toThrow(/status 2.*needs --tls-cert and --tls-key/);
  });
});

describe('a process for each connection', () => {
  test('is only made for who may connect, and not too often', async () => {
    const server = createExecServer({
      program: '/bin/cat',
      listen: 'tcp://127.0.0.1:0',
      deny: ['127.0.0.2'],
      limits: { maxAcceptsPerSecondPerAddress: 1 },
    });
    closing.push(() => server.close({ graceMs: 0 }));
    const [bound] = await server.listen();
    const url = bound?.url ?? '';
    const denied = net.connect({
      port: Number(/:(\d+)$/.exec(url)?.[1]),
      host: '127.0.0.1',
      localAddress: '127.0.0.2',
    });
    denied.on('error', () => undefined);
    await once(denied, 'close');
    const client = await connectClient(url);
    client.send('hello\n');
    expect(await client.receive('\n')).toBe('hello\n');
    const hasty = await connectClient(url);
    expect(await hasty.receiveAll()).toBe('');
    expect(await reasons(server)).toEqual({ denied: 1, 'address-rate': 1 });
    client.end();
    await client.receiveAll();
  });
});

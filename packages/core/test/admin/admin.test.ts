// The admin listener of a program: what a probe, a scraper, a browser and an operator get.

import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../../src/cli/index.ts';
import type { ServerStatus } from '../../src/index.ts';
import { eventually, lacks, unusedAddress } from '../../src/testing/index.ts';
import { connect, exchange, start } from '../fixtures/identify.ts';
import { runHere } from '../../../../test/command-line.ts';
import { identifyCommand } from '../fixtures/identify-command.ts';

const TOKEN = '0123456789abcdef0123';
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };

function tokenFile(token = TOKEN): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-admin-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'token');
  writeFileSync(file, `${token}\n`);
  return file;
}

const refuse = (options: readonly string[]) => runHere(() => runCommand(identifyCommand, pino, 'identify', options));

async function startWithAdmin(...options: string[]) {
  const admin = options.includes('--admin') ? [] : ['--admin', 'tcp://127.0.0.1:0'];
  const program = await start('--workers', '2', ...admin, ...options);
  const base = program.endpoints.admin?.[0]?.replace('tcp:', 'http:') ?? '';
  return { program, base };
}

/** What Chromium makes of a page after some seconds. */
const shownBy = (url: string): string => {
  const headless = ['--headless', '--no-sandbox', '--disable-gpu', '--timeout=8000', '--virtual-time-budget=2500'];
  return execFileSync('chromium', [...headless, '--dump-dom', url], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
};

test('a probe does not wait for a worker that hangs', async () => {
  const { base } = await startWithAdmin();
  const [worker] = (JSON.parse(await (await fetch(`${base}/status.json`)).text()) as ServerStatus).workers;
  process.kill(worker?.pid ?? 0, 'SIGSTOP');
  onTestFinished(() => void process.kill(worker?.pid ?? 0, 'SIGCONT'));
  // This one asks it.
  const whole = fetch(`${base}/status.json`).then(() => 'status');
  const probe = fetch(`${base}/readyz`).then((response) => response.text());
  expect(await Promise.race([whole, probe])).toBe('2 of 2 workers ready\n');
  await whole;
});

describe('without a token', () => {
  test('probes, metrics, status and the page are to be read, and buttons are not to be pressed', async () => {
    const { program, base } = await startWithAdmin();
    const { client } = await connect(program.url);
    const text = async (at: string) => (await fetch(base + at)).text();
    expect([await text('/healthz'), await text('/readyz')]).toEqual(['alive\n', '2 of 2 workers ready\n']);
    expect(await text('/metrics')).toMatch(/^wellknown_connections_open\{service="identify",.*\} 1$/m);
    expect(JSON.parse(await text('/status.json'))).toMatchObject({
      role: 'primary',
      state: 'listening',
      services: [{ name: 'identify', pairs: [{ local: program.url.slice('tcp://'.length), state: 'open' }] }],
    });
    expect(JSON.parse(await text('/connections?service=identify&state=open'))).toMatchObject({
      count: 1,
      connections: [{ remote: `127.0.0.1:${client.localPort}`, service: 'identify' }],
      isWhole: true,
    });
    expect(await text('/connections?service=none')).toBe("there is no service 'none', there is identify\n");
    expect(await text('/')).toContain('<script src="/admin.js"');
    const refused = await fetch(`${base}/reload`, { method: 'POST' });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('--admin-token-file')]);
    client.reset();
  });

  test.skipIf(lacks('promtool'))('the metrics are as Prometheus wants them', async () => {
    const { base } = await startWithAdmin();
    const metrics = await (await fetch(`${base}/metrics`)).text();
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: metrics, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  test.skipIf(lacks('chromium'))('a browser shows services, workers, connections and events', async () => {
    const { program, base } = await startWithAdmin();
    const { client } = await connect(program.url);
    await exchange(client, 'hello');
    const shown = shownBy(base);
    expect(shown).toMatch(/<span id="state" class="pill good"[^>]*>listening</);
    expect(shown).toContain(`<td>${program.url}</td>`);
    expect(shown).toContain(`<td>127.0.0.1:${client.localPort}</td>`);
    expect(shown.match(/<span class="good">ready<\/span>/g)).toHaveLength(2);
    expect(shown).toMatch(/<td>worker 1 \(number \d+, generation 1\): ready<\/td>|1 shown of 1 open/);
    client.reset();
  });
});

describe('with a token', () => {
  test.skipIf(lacks('chromium'))('a browser without it shows no data and asks for it', async () => {
    const { base } = await startWithAdmin('--admin-token-file', tokenFile());
    const shown = shownBy(base);
    expect(shown).toContain('Type the token of this server above to see what it is doing.</p>');
    expect(shown).toMatch(/<main [^>]*hidden/);
  });

  test('who has it may read, reload and drain; nobody else, and no page of another site', async () => {
    const { program, base } = await startWithAdmin('--admin-token-file', tokenFile());
    expect((await fetch(`${base}/metrics`)).status).toBe(401);
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    const press = (button: string, headers: Record<string, string>) =>
      fetch(base + button, { method: 'POST', headers: { ...AUTHORIZED, ...headers } });
    expect((await press('/reload', { origin: 'http://evil.example' })).status).toBe(403);
    const { client } = await connect(program.url);
    const reloaded = await press('/reload', {});
    expect([reloaded.status, await reloaded.text()]).toEqual([200, 'reloaded\n']);
    const status = (await (await fetch(`${base}/status.json`, { headers: AUTHORIZED })).json()) as ServerStatus;
    expect(status.workers.filter(({ generation }) => generation === 2)).toHaveLength(2);
    client.reset();
    expect((await press('/drain', {})).status).toBe(202);
    expect(await program.exited).toBe(0);
  });

  test('a program that drains is alive and not ready', async () => {
    const { program, base } = await startWithAdmin('--drain-timeout', '20', '--admin-token-file', tokenFile());
    const { client } = await connect(program.url);
    program.signal('SIGTERM');
    await eventually(async () => (await fetch(`${base}/readyz`)).status === 503);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    client.end();
    expect(await program.exited).toBe(0);
  });
});

test('an upgrade takes the admin listener along', async () => {
  const { host, port } = await unusedAddress();
  const { program, base } = await startWithAdmin('--admin', `tcp://${host}:${port}`);
  const pidOf = async (): Promise<number> =>
    ((await (await fetch(`${base}/status.json`)).json()) as { pid: number }).pid;
  expect(await pidOf()).toBe(program.pid);
  program.signal('SIGUSR2');
  let successor = program.pid;
  await eventually(async () => {
    successor = await pidOf().catch(() => program.pid);
    return successor !== program.pid;
  });
  onTestFinished(() => void spawnSync('kill', ['-9', String(successor)]));
  expect(await program.exited).toBe(0);
  process.kill(successor, 'SIGTERM');
  await eventually(() => {
    try {
      process.kill(successor, 0);
      return false;
    } catch {
      return true;
    }
  });
});

test('a probe is answered whoever holds connections and reads nothing, and HEAD gets the head of what never ends', async () => {
  const { base } = await startWithAdmin();
  const { hostname, port } = new URL(base);
  const held = await Promise.all(
    Array.from({ length: 110 }, async () => {
      const socket = net.connect({ host: hostname, port: Number(port) });
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.pause().write('GET /admin.js HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100));
      return socket;
    }),
  );
  expect(await (await fetch(`${base}/healthz`)).text()).toBe('alive\n');
  for (const socket of held) socket.destroy();
  const head = await fetch(`${base}/events`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
});

test('a connection is good for 100 requests: the last answer says so, and who sends on is cut off', async () => {
  const { base } = await startWithAdmin();
  const { hostname, port } = new URL(base);
  const ask = async (count: number): Promise<string> => {
    const socket = net.connect({ host: hostname, port: Number(port) });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count));
    // It may be reset.
    await new Promise((closed) => socket.once('close', closed));
    return text;
  };
  const answers = (text: string): number => text.split('HTTP/1.1 200 ').length - 1;
  const exact = await ask(100);
  expect([answers(exact), exact.split('Connection: close').length - 1]).toEqual([100, 1]);
  expect(exact.lastIndexOf('Connection: close')).toBeGreaterThan(exact.lastIndexOf('HTTP/1.1 200 '));
  expect(answers(await ask(101))).toBeLessThanOrEqual(100);
  expect(answers(await ask(20_000))).toBeLessThanOrEqual(100);
  expect((await fetch(`${base}/readyz`)).status).toBe(200);
});

describe('what is wrong is refused at the start', () => {
  test.each([
    [['--admin', 'tcp://:9900'], 'can be reached by other machines, and there is no token'],
    [['--admin', 'udp://127.0.0.1:9900'], 'allowed is tcp://HOST:PORT'],
    [['--admin', '9900', '--admin-token-file', '/nowhere'], "--admin-token-file '/nowhere' can't be read"],
    [['--admin-token-file', '/nowhere'], '--admin-token-file is of no use without --admin'],
  ])('%j', async (options, words) => {
    const { status, stderr } = await refuse(options);
    expect([status, stderr]).toEqual([2, expect.stringContaining(words)]);
  });

  test('a token that no header can carry', async () => {
    const { status, stderr } = await refuse([
      '--admin',
      '9900',
      '--admin-token-file',
      tokenFile('pässwörter-sind-hier'),
    ]);
    expect([status, stderr]).toEqual([2, expect.stringContaining('what is not ASCII')]);
  });

  test('a token that can be guessed', async () => {
    const { status, stderr } = await refuse(['--admin', '9900', '--admin-token-file', tokenFile('secret')]);
    expect([status, stderr]).toEqual([2, expect.stringContaining('at least 16 characters')]);
  });
});

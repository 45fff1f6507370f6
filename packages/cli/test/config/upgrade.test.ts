// Sockets and a configuration that changes: a reload with more workers, and an upgrade, whose successor takes the sockets as
// they are, by their addresses.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { askControl } from '@wellknown/core/control';
import { connectClient, eventually, unusedAddress } from '@wellknown/core/testing';
import { expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../../../../test/certificates.ts';
import { isAlive, up, WELLKNOWN, type Running } from '../fixtures/running-config.ts';

/** The successor serves in the place of what was started. */
async function upgrade(running: Running): Promise<void> {
  const answer = await running.ask({ command: 'upgrade' });
  expect(answer).toMatchObject({ ok: true });
  const { successor } = (answer as { readonly value: unknown }).value as { readonly successor: number };
  onTestFinished(async () => {
    if (isAlive(successor)) process.kill(successor, 'SIGTERM');
    await eventually(() => !isAlive(successor));
  });
  await running.program.exited;
}

/** Tells which worker has served the connection. */
const parents = (workers: number, address: string): string => `
workers: ${workers}
drainTimeout: 0.2
services:
  parent: { protocol: exec, listen: '${address}', program: sh, args: [-c, 'echo $PPID'] }
`;

async function servedBy(address: string, workers: number): Promise<void> {
  const seen = new Set<string>();
  await eventually(async () => {
    const client = await connectClient(address);
    seen.add(await client.receiveAll());
    expect(seen.size).toBe(workers);
  });
}

async function addressOfOurs(): Promise<string> {
  const { host, port } = await unusedAddress();
  return `tcp://${host}:${port}`;
}

test('workers that a reload has added are given connections, and so are those of an upgrade with more or fewer', async () => {
  const address = await addressOfOurs();
  const running = await up(parents(2, address), [], []);
  running.write(parents(3, address));
  expect(await running.reload()).toMatchObject({ ok: true });
  await servedBy(address, 3);
  running.write(parents(4, address));
  await upgrade(running);
  await servedBy(address, 4);
});

test.each([
  [1, 3],
  [3, 1],
])('an upgrade from %i to %i workers takes the sockets as they are', async (before, after) => {
  const address = await addressOfOurs();
  const running = await up(parents(before, address), [], []);
  running.write(parents(after, address));
  await upgrade(running);
  expect((await running.status()).workers).toHaveLength(after);
  for (let time = 0; time < 8; time += 1) expect(await (await connectClient(address)).receiveAll()).toMatch(/^\d+\n$/);
});

test.each([true, false])(
  'a port that goes from tcp to tls is taken over by an upgrade (after a reload: %s)',
  async (isReloaded) => {
    const { host, port } = await unusedAddress();
    const { certFile, keyFile } = makeCertificate('localhost');
    const config = (scheme: string): string => `
workers: 2
drainTimeout: 0.2
services:
  shell: { protocol: telnet, listen: '${scheme}://${host}:${port}'${scheme === 'tls' ? `, tlsCert: '${certFile}', tlsKey: '${keyFile}'` : ''} }
`;
    const running = await up(config('tcp'), [], []);
    running.write(config('tls'));
    if (isReloaded) expect(await running.reload()).toMatchObject({ ok: true });
    await upgrade(running);
    const client = tls.connect({ host, port, rejectUnauthorized: false });
    onTestFinished(() => void client.destroy());
    await once(client, 'data');
    expect((await running.status()).services[0]?.endpoints).toEqual([`tls://${host}:${port}`]);
  },
);

test("a socket of systemd's that a reload has removed comes back with another one, and fd://N is refused by then", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-passed-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (...listen: readonly string[]): void =>
    writeFileSync(
      path.join(folder, 'wellknown.config.yaml'),
      `workers: 1\ndrainTimeout: 0.2\nservices:\n  shell: { protocol: telnet, listen: ${JSON.stringify(listen)} }\n`,
    );
  const passed = net.createServer().listen(0, '127.0.0.1');
  await once(passed, 'listening');
  const { fd } = (passed as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const { port } = passed.address() as net.AddressInfo;
  const control = path.join(folder, 'control.sock');
  write('tcp://127.0.0.1:0', 'systemd:web');
  const child = spawn(
    'sh',
    [
      ...['-c', 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"', 'sh', process.execPath],
      ...[...WELLKNOWN, 'up', '--control', control],
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'ignore', fd] },
  );
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  await eventually(() => stdout.includes('ready'));
  // From here on it is the program's alone: this process would accept too.
  passed.close();
  const reload = () => askControl(control, { command: 'reload' });

  write('tcp://127.0.0.1:0');
  expect(await reload()).toMatchObject({ ok: true });
  write('tcp://127.0.0.1:0', 'systemd:web');
  expect(await reload()).toMatchObject({ ok: true });
  const client = await connectClient(`tcp://127.0.0.1:${port}`);
  await client.receive('>');

  write('tcp://127.0.0.1:0', 'systemd:web', 'fd://3');
  const refused = await reload();
  expect(refused).toMatchObject({ ok: false });
  expect(JSON.stringify(refused)).toContain('cannot listen on fd://3: descriptors are taken at the start alone');
});

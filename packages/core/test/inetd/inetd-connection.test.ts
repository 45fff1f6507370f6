// A program that serves its standard input, run by a server of the test as inetd would run it.

import { spawn, type ChildProcess } from 'node:child_process';
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lacksOtherUser } from '../../../../test/other-user.ts';
import { connectClient } from '../../src/testing/index.ts';
import { PROGRAM } from '../fixtures/identify.ts';

const NOBODY = 65_534;

/** Runs the fixture for each connection; resolves with the url once it listens. */
async function inetd(...options: readonly string[]): Promise<{ url: string; ended: Promise<number | null> }> {
  const children: ChildProcess[] = [];
  let childEnded: (status: number | null) => void = () => undefined;
  const ended = new Promise<number | null>((resolve) => (childEnded = resolve));
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(process.execPath, [...PROGRAM, '--inetd', ...options], {
      stdio: [socket, socket, 'ignore'],
      cwd: '/',
    });
    child.once('exit', childEnded);
    children.push(child);
    socket.destroy();
  });
  onTestFinished(() => {
    for (const child of children) child.kill('SIGKILL');
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `tcp://127.0.0.1:${(server.address() as net.AddressInfo).port}`, ended };
}

describe('one connection on standard input', () => {
  test('a peer that --deny names gets nothing, and the program ends well', async () => {
    const { url, ended } = await inetd('--deny', '127.0.0.0/8');
    const client = await connectClient(url);
    expect(await client.receiveAll()).toBe('');
    expect(await ended).toBe(0);
  });

  test('a peer that --allow does not name gets nothing', async () => {
    const { url } = await inetd('--allow', '192.0.2.0/24');
    expect(await (await connectClient(url)).receiveAll()).toBe('');
  });

  test('a peer that --allow names is served', async () => {
    const { url } = await inetd('--allow', '127.0.0.1');
    const client = await connectClient(url);
    expect(await client.receive('\n')).toMatch(/^\d+\n$/);
    client.end();
  });

  test('--idle-timeout ends it', async () => {
    const { url, ended } = await inetd('--idle-timeout', '0.2');
    const client = await connectClient(url);
    expect(await client.receiveAll()).toMatch(/^\d+\n$/);
    client.end();
    expect(await ended).toBe(0);
  });

  const noOtherUser = lacksOtherUser(PROGRAM.at(-1) ?? '');
  test.skipIf(noOtherUser)(
    `--run-as is done before the user's code is loaded${noOtherUser === undefined ? '' : ` (${noOtherUser})`}`,
    async () => {
      const { url } = await inetd('--run-as', 'nobody', '--uids');
      const client = await connectClient(url);
      expect(await client.receive('\n')).toBe(`${NOBODY} ${NOBODY}\n`);
      client.end();
    },
  );
});

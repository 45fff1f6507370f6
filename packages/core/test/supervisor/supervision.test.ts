// Real processes and signals: what a program on core promises whatever happens to its workers.

import { existsSync, readFileSync, mkdtempSync } from 'node:fs';
import dgram from 'node:dgram';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { runHere } from '../../../../test/command-line.ts';
import { runCommand } from '../../src/cli/index.ts';
import { askControl } from '../../src/control/client.ts';
import type { ServerStatus } from '../../src/index.ts';
import { connectClient, eventually, runProgram, type Client } from '../../src/testing/index.ts';
import { connect, exchange, isAlive, PROGRAM, start, workersOf } from '../fixtures/identify.ts';
import { identifyCommand } from '../fixtures/identify-command.ts';

describe('the program', () => {
  test('prints a line for each listener with its real port, then ready, and TERM ends it with status 0 and nothing left', async () => {
    const program = await start('--workers', '2', '--listen', 'tcp://127.0.0.1:0', '--listen', 'udp://127.0.0.1:0');
    expect(program.stdout()).toMatch(
      /^listening identify tcp:\/\/127\.0\.0\.1:[1-9]\d*\nlistening identify udp:\/\/127\.0\.0\.1:[1-9]\d*\nready\n$/,
    );
    const workers = await workersOf(program.url, 2);
    expect(await program.stop()).toBe(0);
    expect(workers.map(isAlive)).toEqual([false, false]);
  });

  test('TERM lets what is in flight finish, and refuses new connections', async () => {
    const program = await start('--workers', '1', '--drain-timeout', '10');
    const { client } = await connect(program.url);
    program.signal('SIGTERM');
    await eventually(() =>
      connectClient(program.url).then(
        (late) => (late.reset(), false),
        () => true,
      ),
    );
    await exchange(client, 'still here');
    client.end();
    expect(await program.exited).toBe(0);
  });

  test('TERM while workers are still starting ends it as soon as they can hear it', async () => {
    const program = await start('--workers', '1', '--drain-timeout', '20');
    program.signal('SIGTTIN');
    program.signal('SIGTERM');
    expect(await program.exited).toBe(0);
  });

  test('work that outlasts the drain timeout is cut', async () => {
    const program = await start('--workers', '1', '--drain-timeout', '0.2');
    const { client } = await connect(program.url);
    program.signal('SIGTERM');
    await client.receiveAll();
    expect(await program.exited).toBe(0);
  });

  test('a second INT ends it at once', async () => {
    const program = await start('--workers', '1', '--drain-timeout', '10');
    const { client } = await connect(program.url);
    program.signal('SIGINT');
    await eventually(() => program.stderr().includes('draining'));
    await exchange(client, 'still here');
    program.signal('SIGINT');
    expect(await program.exited).toBe(0);
    await client.receiveAll();
  });

  test('a second INT ends it although a worker hears nothing', async () => {
    const program = await start('--workers', '1', '--drain-timeout', '10');
    const { client, worker } = await connect(program.url);
    process.kill(worker, 'SIGSTOP');
    program.signal('SIGINT');
    await eventually(() => program.stderr().includes('draining'));
    program.signal('SIGINT');
    expect(await program.exited).toBe(0);
    expect(isAlive(worker)).toBe(false);
    client.reset();
  });

  test('serves without workers in one process', async () => {
    const program = await start('--workers', '0');
    const { client, worker } = await connect(program.url);
    expect(worker).toBe(program.pid);
    client.reset();
    expect(await program.stop()).toBe(0);
  });

  test('the pid file appears once ready and goes at the end', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-')), 'pid');
    const program = await start('--workers', '1', '--pid-file', file);
    await eventually(() => existsSync(file));
    expect(readFileSync(file, 'utf8')).toBe(`${program.pid}\n`);
    await program.stop();
    expect(existsSync(file)).toBe(false);
  });

  test('a port in use ends it with status 1 and a message that names endpoint, reason and remedy', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const url = `tcp://127.0.0.1:${(holder.address() as net.AddressInfo).port}`;
    const { status, stdout, stderr } = await runProgram([...PROGRAM, '--listen', url, '--workers', '2']);
    holder.close();
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`cannot listen on ${url}: the address is in use`);
    expect(stderr).toContain('choose another port with --listen or --port-offset');
  });

  test.each([
    [['--workers', 'many'], "--workers is 'many', allowed is a whole number from 0 to 1024 or 'auto'"],
    [['--listen', 'tcp://nowhere'], "--listen: endpoint 'tcp://nowhere': the port is missing"],
    [
      ['--tls-cert', 'x.pem', '--tls-key', 'x.pem'],
      '--tls-cert is of no use here: this server has no tls:// listeners',
    ],
    [['--access-log', 'x'], '--access-log is for http and ftp'],
    [['--admin', 'tcp://:1'], '--admin tcp://:1 can be reached by other machines, and there is no token'],
    [['--allow', '10.0.0.1/8'], "--allow '10.0.0.1/8'"],
    [['--allow', '10.0.0.0/8', '--deny', '10.0.0.0/8'], "--deny: '10.0.0.0/8' is there already"],
    [['--proxy-protocol', 'everyone'], "--proxy-protocol 'everyone'"],
    [
      ['--accept', 'magic'],
      "--accept is 'magic', allowed is inherit, inherit-shared, inherit-sharded, dispatch, cluster-rr",
    ],
    [['--run-as', 'nobody-here'], "--run-as: the user 'nobody-here' does not exist"],
    [['--run-as', 'root:'], "--run-as: 'root:' is not of the form USER[:GROUP]"],
    [['--frobnicate'], 'unknown option --frobnicate, see --help'],
    [['--workers'], '--workers needs a value: N'],
    [['--workers', '1', '--workers', '2'], '--workers was given more than once'],
    [['surplus'], "unexpected argument 'surplus'"],
    [['--log-level', 'loud'], "--log-level is 'loud', allowed is debug, info, warn, error"],
  ])('a bad command line (%j) ends it with status 2 and says why', async (options, words) => {
    const { status, stdout, stderr } = await runHere(() => runCommand(identifyCommand, pino, 'identify', options));
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });

  test('a process ends with that status, says that, and nothing else', async () => {
    expect(await runProgram([...PROGRAM, '--workers', 'many'])).toEqual({
      status: 2,
      stdout: '',
      stderr: "wellknown-identify: --workers is 'many', allowed is a whole number from 0 to 1024 or 'auto'\n",
    });
  });

  test('workers that never become ready end it with status 1 and a last word', async () => {
    const { status, stdout, stderr } = await runProgram([
      ...PROGRAM,
      '--listen',
      'tcp://127.0.0.1:0',
      '--workers',
      '1',
      '--crash',
      'start',
    ]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('cannot start today');
    expect(stderr).toMatch(/gave up after 5 workers ended before any was ready/);
  });
});

describe('when a worker dies', () => {
  test('what waits in the queue while every worker is stopped is served by the survivors and the replacement', async () => {
    const program = await start('--workers', '2');
    const [first = 0, second = 0] = await workersOf(program.url, 2);
    process.kill(first, 'SIGSTOP');
    process.kill(second, 'SIGSTOP');
    // No worker accepts now: these connections are in the kernel's queue, not in a worker.
    const clients = await Promise.all(Array.from({ length: 50 }, () => connectClient(program.url)));
    process.kill(first, 'SIGKILL');
    process.kill(second, 'SIGCONT');
    const served = await Promise.all(
      clients.map(async (client, index) => {
        const worker = Number((await client.receive('\n')).trim());
        await exchange(client, `word ${index}`);
        client.end();
        return worker;
      }),
    );
    expect(served).toHaveLength(50);
    expect(served).not.toContain(first);
  });

  test('connections made while no worker runs wait, and are served by the replacements', async () => {
    const program = await start('--workers', '2');
    const workers = await workersOf(program.url, 2);
    for (const worker of workers) process.kill(worker, 'SIGKILL');
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectClient(program.url)));
    for (const client of clients) {
      const worker = Number((await client.receive('\n')).trim());
      expect(workers).not.toContain(worker);
      await exchange(client, 'served');
      client.end();
    }
  });

  test('under a steady stream of connections, only those that were in the killed worker are lost', async () => {
    const program = await start('--workers', '2');
    const [victim = 0] = await workersOf(program.url, 2);
    let killed = false;
    const lost: (number | undefined)[] = [];
    const one = async (index: number): Promise<void> => {
      let worker: number | undefined;
      const madeAfterKill = killed;
      try {
        const { client, worker: servedBy } = await connect(program.url);
        worker = servedBy;
        await exchange(client, `word ${index}`);
        client.end();
        await client.closed;
      } catch {
        // Not greeted yet and made before the kill: it may have been in the victim. Made after it: it can't have been.
        lost.push(madeAfterKill ? -1 : (worker ?? victim));
      }
    };
    for (let round = 0; round < 30; round += 1) {
      const batch = Array.from({ length: 10 }, (_, index) => one(round * 10 + index));
      if (round === 10) {
        process.kill(victim, 'SIGKILL');
        killed = true;
      }
      await Promise.all(batch);
    }
    expect(lost.filter((worker) => worker !== victim)).toEqual([]);
    expect(lost.length).toBeLessThanOrEqual(10);
  });

  test('it is replaced, and the other workers keep their connections', async () => {
    const program = await start('--workers', '2');
    const { client, worker } = await connect(program.url);
    const [other = 0] = (await workersOf(program.url, 2)).filter((pid) => pid !== worker);
    process.kill(other, 'SIGKILL');
    await eventually(async () => {
      const found = await connect(program.url);
      found.client.reset();
      return found.worker !== other && found.worker !== worker;
    });
    await exchange(client, 'undisturbed');
    client.reset();
  });

  test('datagrams are answered by the others', async () => {
    const program = await start('--workers', '2', '--listen', 'udp://127.0.0.1:0');
    const port = Number(program.url.split(':').at(-1));
    const socket = dgram.createSocket('udp4');
    const ask = (): Promise<number> =>
      new Promise((resolve) => {
        socket.once('message', (message) => resolve(Number(message.toString())));
        socket.send('who', port, '127.0.0.1');
      });
    const first = await ask();
    process.kill(first, 'SIGKILL');
    await eventually(() => !isAlive(first));
    expect(await ask()).not.toBe(first);
    socket.close();
  });

  test('a primary that is killed leaves workers that finish what they have and end', async () => {
    const program = await start('--workers', '1', '--drain-timeout', '10');
    const { client, worker } = await connect(program.url);
    program.signal('SIGKILL');
    await program.exited;
    await exchange(client, 'still served');
    client.end();
    await client.receiveAll();
    await eventually(() => !isAlive(worker));
  });
});

describe('limits over all workers', () => {
  test('an address opens exactly as many connections as allowed, and one more is turned away with the words of the protocol', async () => {
    const program = await start('--workers', '2', '--max-connections-per-ip', '3');
    const open = [await connect(program.url), await connect(program.url), await connect(program.url)];
    const refused = await connectClient(program.url);
    expect(await refused.receiveAll()).toBe('refused address-limit\n');
    refused.end();
    open[0]?.client.end();
    await open[0]?.client.receiveAll();
    await eventually(async () => {
      const again = await connectClient(program.url);
      return (await again.receive('\n')).startsWith('refused') ? (again.end(), false) : true;
    });
    for (const { client } of open) client.reset();
  });

  test('a killed worker gives back the places of its connections', async () => {
    const program = await start('--workers', '2', '--max-connections-per-ip', '2');
    const first = await connect(program.url);
    const second = await connect(program.url);
    process.kill(first.worker, 'SIGKILL');
    await first.client.receiveAll();
    await eventually(async () => {
      const again = await connectClient(program.url);
      return !(await again.receive('\n')).startsWith('refused');
    });
    second.client.reset();
  });

  test('connections past the total wait in the queue and are served when there is room', async () => {
    const program = await start('--workers', '2', '--max-connections', '2');
    const first = await connect(program.url);
    const second = await connect(program.url);
    expect(first.worker).not.toBe(second.worker);
    const third = await connectClient(program.url);
    const greeted = third.receive('\n');
    await exchange(first.client, 'the third waits');
    first.client.end();
    await first.client.receiveAll();
    expect(Number((await greeted).trim())).toBe(first.worker);
    second.client.reset();
    third.reset();
  });
});

describe('scaling', () => {
  test('the total of connections holds for as many workers as there are now: shares change with the pool', async () => {
    const control = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-')), 'control');
    const program = await start('--workers', '1', '--max-connections', '2', '--control', control);
    const status = async (): Promise<ServerStatus> => {
      const answer = await askControl(control, { command: 'status' });
      return (answer as { readonly value: ServerStatus }).value;
    };
    const ready = async (): Promise<number> => (await status()).workers.filter(({ at }) => at === 'ready').length;
    program.signal('SIGTTIN');
    await eventually(async () => (await ready()) === 2);
    const clients: Client[] = [];
    for (let count = 0; count < 5; count += 1) clients.push(await connectClient(program.url));
    await eventually(async () => (await status()).services[0]?.connections.open === 2);
    const shares = (await status()).services[0]?.byWorker.map(({ listeners }) => listeners[0]?.connections.open);
    expect(shares).toEqual([1, 1]);
    program.signal('SIGTTOU');
    await eventually(async () => (await status()).workers.length === 1);
    for (const client of clients) client.reset();
    await eventually(async () => (await status()).services[0]?.connections.open === 0);
    const later = [await connect(program.url), await connect(program.url)];
    expect((await status()).services[0]?.connections.open).toBe(2);
    for (const { client } of later) client.reset();
  });

  test('so does the limit of an address, though it is large: those who come when it is reached are turned away by old and new workers', async () => {
    const limit = 256;
    const control = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-')), 'control');
    const program = await start('--workers', '1', '--max-connections-per-ip', String(limit), '--control', control);
    const workers = async (): Promise<ServerStatus['workers']> =>
      ((await askControl(control, { command: 'status' })) as { readonly value: ServerStatus }).value.workers;
    const clients: Client[] = [];
    const knock = async (): Promise<string> => {
      const client = await connectClient(program.url);
      clients.push(client);
      return (await client.receive('\n')).trim();
    };
    for (let count = 0; count < limit; count += 1) expect(await knock()).toMatch(/^\d+$/);
    program.signal('SIGTTIN');
    await eventually(async () => (await workers()).filter(({ at }) => at === 'ready').length === 2);
    const refused = await Promise.all(Array.from({ length: 40 }, knock));
    expect(new Set(refused)).toEqual(new Set(['refused address-limit']));
    clients.shift()?.reset();
    await eventually(async () => /^\d+$/.test(await knock()));
    expect(await knock()).toBe('refused address-limit');
    for (const client of clients) client.reset();
  });

  test('TTIN adds a worker and TTOU retires one', async () => {
    const program = await start('--workers', '1');
    program.signal('SIGTTIN');
    const workers = await workersOf(program.url, 2);
    program.signal('SIGTTOU');
    await eventually(() => workers.filter(isAlive).length === 1);
  });
});

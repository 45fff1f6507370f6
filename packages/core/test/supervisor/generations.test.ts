// Reload, upgrade, control, privileges, heartbeats: a running program is changed without losing a connection.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  rmSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askControl } from '../../src/control/client.ts';
import { ProgramFiles } from '../../src/cli/program-files.ts';
import { createServer, defineProtocol, silentLog, type Server, type ServerStatus } from '../../src/index.ts';
import { connectClient, eventually, lacks, type Program } from '../../src/testing/index.ts';
import { lacksOtherUser } from '../../../../test/other-user.ts';
import { connect, exchange, isAlive, PROGRAM, start, workersOf } from '../fixtures/identify.ts';

const scratch = (): string => mkdtempSync(path.join(tmpdir(), 'wellknown-'));

/** Connects without pause until `until` settles; counts what failed. */
async function underLoad(url: string, until: Promise<unknown>): Promise<{ served: number; failed: unknown[] }> {
  let isOver = false;
  void until.finally(() => (isOver = true)).catch(() => undefined);
  let served = 0;
  const failed: unknown[] = [];
  const loop = async (): Promise<void> => {
    while (!isOver) {
      try {
        const { client } = await connect(url);
        await exchange(client, 'hello');
        client.end();
        await client.closed;
        served += 1;
      } catch (error) {
        failed.push(error);
      }
    }
  };
  await Promise.all([loop(), loop(), loop(), loop()]);
  return { served, failed };
}

/** One that does nothing, and can end. */
const silentServer = (): Server =>
  createServer({
    protocol: defineProtocol({ name: 'silent', port: 7, open: () => ({ data: () => undefined }) }),
    listen: [],
  });

const said = (program: Program, words: string): Promise<void> => eventually(() => program.stderr().includes(words));

describe('reload', () => {
  test('HUP replaces every worker under load without a failed request', async () => {
    const program = await start('--workers', '2', '--drain-timeout', '10');
    const before = await workersOf(program.url, 2);
    program.signal('SIGHUP');
    const { served, failed } = await underLoad(program.url, said(program, 'reloaded'));
    expect(failed).toEqual([]);
    expect(served).toBeGreaterThan(0);
    await eventually(() => before.every((pid) => !isAlive(pid)));
    expect(await workersOf(program.url, 2)).toHaveLength(2);
  });

  test('that fails leaves the old workers serving and says why', async () => {
    const switchFile = path.join(scratch(), 'broken');
    const program = await start('--workers', '2', '--crash', `file:${switchFile}`);
    const before = await workersOf(program.url, 2);
    writeFileSync(switchFile, '');
    program.signal('SIGHUP');
    await said(program, 'the reload failed');
    expect(program.stderr()).toContain('cannot start today');
    expect((await workersOf(program.url, 2)).sort()).toEqual(before.sort());
  });

  test('asked for during a reload is done after it, once: no worker keeps what was there at the first', async () => {
    const control = path.join(scratch(), 'control');
    const gate = path.join(scratch(), 'gate');
    writeFileSync(gate, '');
    const program = await start('--workers', '2', '--hold', gate, '--control', control);
    unlinkSync(gate);
    program.signal('SIGHUP');
    await said(program, 'holding');
    const later = [askControl(control, { command: 'reload' }), askControl(control, { command: 'reload' })];
    await eventually(() => program.stderr().split('"command":"reload"').length === 3);
    writeFileSync(gate, '');
    const reloaded = { ok: true, value: { kept: [] } };
    expect(await Promise.all(later)).toEqual([reloaded, reloaded]);
    const status = await askControl(control, { command: 'status' });
    const workers = status.ok ? (status.value as ServerStatus).workers.filter(({ at }) => at === 'ready') : [];
    expect(workers.map(({ generation }) => generation)).toEqual([3, 3]);
  });

  test('a connection of the old generation is served to its end', async () => {
    const program = await start('--workers', '1', '--drain-timeout', '10');
    const { client } = await connect(program.url);
    program.signal('SIGHUP');
    await said(program, 'reloaded');
    await exchange(client, 'still served by the old one');
    client.end();
    await client.receiveAll();
  });
});

describe('upgrade', () => {
  test('USR2 hands the sockets to a new primary under load without a failed request, and the old one ends', async () => {
    const unixPath = path.join(scratch(), 'socket');
    const pidFile = path.join(scratch(), 'pid');
    const program = await start(
      '--workers',
      '2',
      '--drain-timeout',
      '10',
      '--pid-file',
      pidFile,
      '--listen',
      'tcp://127.0.0.1:0',
      '--listen',
      `unix:${unixPath}`,
    );
    program.signal('SIGUSR2');
    const { served, failed } = await underLoad(program.url, program.exited);
    expect(failed).toEqual([]);
    expect(served).toBeGreaterThan(0);
    expect(await program.exited).toBe(0);
    const successor = Number(readFileSync(pidFile, 'utf8'));
    expect(successor).not.toBe(program.pid);
    const { client } = await connect(`unix:${unixPath}`);
    await exchange(client, 'through the inherited path');
    client.end();
    process.kill(successor, 'SIGTERM');
    await eventually(() => !isAlive(successor));
  });

  test('that fails leaves the old program serving and says why', async () => {
    const switchFile = path.join(scratch(), 'broken');
    const program = await start('--workers', '1', '--crash', `file:${switchFile}`);
    writeFileSync(switchFile, '');
    program.signal('SIGUSR2');
    await said(program, 'the upgrade failed');
    const { client } = await connect(program.url);
    await exchange(client, 'still here');
    client.reset();
  });
});

describe.skipIf(spawnSync('unshare', ['-rpf', '--mount-proc', 'true']).status !== 0)(
  'the first process of a container (needs unshare, to be one)',
  () => {
    test('refuses an upgrade, with which the container would end, and serves on', async () => {
      const unshared = spawn(
        'unshare',
        [
          '-rpf',
          '--mount-proc',
          '--kill-child',
          process.execPath,
          ...PROGRAM,
          '--workers',
          '1',
          '--listen',
          'tcp://127.0.0.1:0',
        ],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      onTestFinished(() => void unshared.kill('SIGKILL'));
      const output = { stdout: '', stderr: '' };
      unshared.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
      unshared.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
      await eventually(() => /^ready$/m.test(output.stdout));
      const first = Number(readFileSync(`/proc/${String(unshared.pid)}/task/${String(unshared.pid)}/children`, 'utf8'));
      process.kill(first, 'SIGUSR2');
      await eventually(() => output.stderr.includes('the upgrade failed'));
      expect(output.stderr).toContain('the first process of a container has no successor');
      const { client } = await connect(/tcp:\S+/.exec(output.stdout)?.[0] ?? '');
      await exchange(client, 'still here');
      client.reset();
    });
  },
);

describe('an upgrade during which the old program is ended', () => {
  /** A program whose successor has come to start its worker, which waits for the gate. */
  async function upgrading() {
    const folder = scratch();
    const file = (name: string): string => path.join(folder, name);
    const [gate, pidFile, unixPath, control] = [file('gate'), file('pid'), file('socket'), file('control')];
    writeFileSync(gate, '');
    const listen = ['--listen', 'tcp://127.0.0.1:0', '--listen', `unix:${unixPath}`];
    const named = ['--pid-file', pidFile, '--control', control];
    const program = await start('--workers', '1', '--hold', gate, ...named, ...listen);
    unlinkSync(gate);
    program.signal('SIGUSR2');
    await eventually(() => program.stderr().split('holding').length === 3);
    const pid = (): number => Number(readFileSync(pidFile, 'utf8'));
    return { program, unixPath, control, open: () => writeFileSync(gate, ''), pid };
  }

  /** The successor serves on every address. Ends it. */
  async function successorServes({ program, unixPath, pid }: Awaited<ReturnType<typeof upgrading>>): Promise<void> {
    await eventually(() => pid() !== program.pid);
    for (const url of [program.url, `unix:${unixPath}`]) {
      const { client } = await connect(url);
      await exchange(client, 'served by the successor');
      client.end();
    }
    const successor = pid();
    process.kill(successor, 'SIGTERM');
    await eventually(() => !isAlive(successor));
  }

  test('by KILL has a successor that serves', async () => {
    const upgrade = await upgrading();
    upgrade.program.signal('SIGKILL');
    await upgrade.program.exited;
    upgrade.open();
    await successorServes(upgrade);
  });

  test('by TERM serves until the successor does', async () => {
    const upgrade = await upgrading();
    const { program, unixPath, control } = upgrade;
    program.signal('SIGTERM');
    await said(program, 'the upgrade is waited for');
    const told = await askControl(control, { command: 'drain' });
    expect(told).toEqual({ ok: true, value: 'draining once the upgrade has ended' });
    const { client } = await connect(`unix:${unixPath}`);
    await exchange(client, 'still served by the old one');
    client.end();
    upgrade.open();
    expect(await program.exited).toBe(0);
    await successorServes(upgrade);
  });

  test('by a second INT at once has a successor that serves', async () => {
    const upgrade = await upgrading();
    const { program } = upgrade;
    program.signal('SIGINT');
    await said(program, 'the upgrade is waited for');
    program.signal('SIGINT');
    expect(await program.exited).toBe(0);
    upgrade.open();
    await successorServes(upgrade);
  });
});

describe('the files that name a running server', () => {
  const files = () => {
    const folder = scratch();
    const [control, pidFile] = [path.join(folder, 'control'), path.join(folder, 'pid')];
    return { folder, control, pidFile, options: ['--workers', '1', '--control', control, '--pid-file', pidFile] };
  };
  const pidIn = (file: string): number => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);

  test.each(['SIGTERM', 'SIGINT'] as const)('are gone after a stop by %s', async (signal) => {
    const { folder, options } = files();
    const program = await start(...options);
    program.signal(signal);
    expect(await program.exited).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('are gone after a stop over the control socket', async () => {
    const { folder, control, options } = files();
    const program = await start(...options);
    await askControl(control, { command: 'stop' });
    expect(readdirSync(folder)).toEqual([]);
    expect(await program.exited).toBe(0);
  });

  test("are the successor's after each of several upgrades, and gone after the last stop", async () => {
    const { folder, control, pidFile, options } = files();
    const program = await start(...options, '--drain-timeout', '0.1');
    let running = program.pid;
    for (let upgrade = 0; upgrade < 5; upgrade += 1) {
      const predecessor = running;
      process.kill(predecessor, 'SIGUSR2');
      await eventually(() => !isAlive(predecessor) && pidIn(pidFile) !== predecessor);
      running = pidIn(pidFile);
      const status = await askControl(control, { command: 'status' });
      expect(status).toMatchObject({ ok: true, value: { pid: running } });
    }
    await askControl(control, { command: 'stop' });
    await eventually(() => !isAlive(running));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('are left alone by a predecessor that ends while its successor has yet to write them', async () => {
    const { control, pidFile } = files();
    const server = silentServer();
    const predecessor = new ProgramFiles({
      pidFile,
      control,
      controlIfFree: undefined,
      isSuccessor: false,
      log: silentLog,
    });
    await predecessor.write(server);
    void predecessor.handedOver();
    await server.close();
    await predecessor.removed();
    expect([existsSync(control), pidIn(pidFile)]).toEqual([true, process.pid]);
  });

  test('that somebody has removed are there again after a reload, which a signal can ask for, and gone at the end', async () => {
    const { folder, control, pidFile, options } = files();
    const program = await start(...options);
    unlinkSync(control);
    unlinkSync(pidFile);
    program.signal('SIGHUP');
    await said(program, '"msg":"reloaded"');
    expect(pidIn(pidFile)).toBe(program.pid);
    expect(await askControl(control, { command: 'status' })).toMatchObject({ ok: true, value: { pid: program.pid } });
    await askControl(control, { command: 'stop' });
    expect(readdirSync(folder)).toEqual([]);
    expect(await program.exited).toBe(0);
  });

  test('are waited for by an upgrade, the control socket too where there is no pid file', async () => {
    const { control } = files();
    const [before, after] = [silentServer(), silentServer()];
    const [predecessor, successor] = [false, true].map(
      (isSuccessor) =>
        new ProgramFiles({ pidFile: undefined, control, controlIfFree: undefined, isSuccessor, log: silentLog }),
    );
    await predecessor!.write(before);
    let isHandedOver = false;
    const handedOver = predecessor!.handedOver().then(() => (isHandedOver = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isHandedOver).toBe(false);
    await successor!.write(after);
    await handedOver;
    await Promise.all([before.close(), after.close()]);
    await Promise.all([predecessor!.removed(), successor!.removed()]);
  });

  test('that a successor cannot write cost it an error in the log, not its service', async () => {
    const server = silentServer();
    const errors: string[] = [];
    const where = path.join(scratch(), 'gone');
    const successor = new ProgramFiles({
      pidFile: path.join(where, 'pid'),
      control: path.join(where, 'control'),
      controlIfFree: undefined,
      isSuccessor: true,
      log: { ...silentLog, error: (_fields, message) => void errors.push(message) },
    });
    await successor.write(server);
    expect(errors).toHaveLength(2);
    await server.close();
  });
});

describe('the control socket', () => {
  test("is its owner's alone, tells the status, scales, reloads, and stops", async () => {
    const control = path.join(scratch(), 'control');
    const program = await start('--workers', '1', '--control', control);
    expect(statSync(control).mode & 0o777).toBe(0o600);
    const { client } = await connect(program.url);
    const status = await askControl(control, { command: 'status' });
    expect(status).toMatchObject({
      ok: true,
      value: {
        role: 'primary',
        pid: program.pid,
        services: [{ name: 'identify', endpoints: [program.url], connections: { open: 1, accepted: 1 } }],
        workers: [{ slot: 1, at: 'ready', generation: 1 }],
      },
    });
    client.reset();
    expect(await askControl(control, { command: 'scale', workers: 2 })).toMatchObject({ ok: true });
    // It answers once they serve.
    const grown = await askControl(control, { command: 'status' });
    expect(grown).toMatchObject({ value: { workers: [{ at: 'ready' }, { at: 'ready' }] } });
    await workersOf(program.url, 2);
    expect(await askControl(control, { command: 'reload' })).toEqual({ ok: true, value: { kept: [] } });
    expect(await askControl(control, { command: 'stop' })).toEqual({ ok: true, value: 'draining' });
    expect(await program.exited).toBe(0);
    expect(await askControl(control, { command: 'status' })).toMatchObject({ ok: false });
  });

  test.skipIf(lacks('prlimit'))(
    'answers where the primary has no descriptors left for a process, and does it once there are some',
    async () => {
      const control = path.join(scratch(), 'control');
      const program = await start('--workers', '1', '--control', control);
      const limit = (soft: number): void => {
        execFileSync('prlimit', [`--pid=${program.pid}`, `--nofile=${soft}:`]);
      };
      // Enough for the connection that asks, and one more.
      const open = new Set(readdirSync(`/proc/${program.pid}/fd`).map(Number));
      const free = Array.from({ length: open.size + 2 }, (_, number) => number).filter((number) => !open.has(number));
      limit((free[1] ?? 0) + 1);
      for (const request of [{ command: 'scale', workers: 2 }, { command: 'upgrade' }] as const)
        expect(await askControl(control, request)).toMatchObject({
          ok: false,
          error: expect.stringMatching(/: .*EMFILE/) as unknown,
        });
      limit(1_024);
      expect(await askControl(control, { command: 'scale', workers: 2 })).toEqual({ ok: true, value: { workers: 2 } });
      expect(await askControl(control, { command: 'reload' })).toEqual({ ok: true, value: { kept: [] } });
    },
  );

  test('a worker that cannot be added is an answer with the reason, and the others serve on', async () => {
    const control = path.join(scratch(), 'control');
    const broken = path.join(scratch(), 'broken');
    const program = await start('--workers', '1', '--control', control, '--crash', `file:${broken}`);
    writeFileSync(broken, '');
    const answer = await askControl(control, { command: 'scale', workers: 2 });
    expect(answer).toMatchObject({
      ok: false,
      error: expect.stringMatching(
        /^the new worker of slot 2 ended before it was ready, it is tried again: .*cannot start today/,
      ) as string,
    });
    const { client } = await connect(program.url);
    await exchange(client, 'still served');
    // Once it works, the worker that was missing is there.
    rmSync(broken);
    expect(await askControl(control, { command: 'scale', workers: 2 })).toEqual({ ok: true, value: { workers: 2 } });
    const status = await askControl(control, { command: 'status' });
    expect(status).toMatchObject({ value: { workers: [{ slot: 1 }, { slot: 2 }] } });
  });

  test('answers what it does not understand, and goes on', async () => {
    const control = path.join(scratch(), 'control');
    await start('--workers', '1', '--control', control);
    const client = await connectClient(`unix:${control}`);
    for (const [line, words] of [
      ['hello', 'not a line of JSON'],
      ['{}', 'no command'],
      ['{"command":"explode"}', 'unknown command'],
      ['{"command":"scale","workers":0}', 'scale needs workers'],
    ] as const) {
      client.send(`${line}\n`);
      expect(await client.receive('\n')).toContain(words);
    }
    client.reset();
  });
});

describe('supervision', () => {
  test('a worker whose event loop is blocked is replaced', async () => {
    const program = await start('--workers', '1', '--heartbeat-timeout', '2.5');
    const { client, worker } = await connect(program.url);
    client.send('block\n');
    await said(program, '"why":"stalled"');
    await eventually(async () => {
      const next = await connectClient(program.url);
      return Number((await next.receive('\n')).trim()) !== worker;
    });
  });

  test('a primary that was stopped for longer than the heartbeat timeout keeps its workers when it goes on', async () => {
    const control = path.join(scratch(), 'control');
    const program = await start('--workers', '2', '--heartbeat-timeout', '2', '--control', control);
    const before = await workersOf(program.url, 2);
    const { client } = await connect(program.url);
    program.signal('SIGSTOP');
    // The time itself is what it is about: nothing could tell that it has passed.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    program.signal('SIGCONT');
    // Its tick is due by the first answer and done by the second.
    await askControl(control, { command: 'status' });
    const status = await askControl(control, { command: 'status' });
    const pids = status.ok ? (status.value as ServerStatus).workers.map(({ pid }) => pid) : [];
    expect(pids.sort()).toEqual(before.sort());
    expect(program.stderr()).not.toContain('stalled');
    await exchange(client, 'undisturbed');
    client.reset();
  });

  test('a worker that can no longer be replaced leaves the reason in the log, once', async () => {
    const switchFile = path.join(scratch(), 'broken');
    const program = await start('--workers', '2', '--crash', `file:${switchFile}`);
    const [victim = 0] = await workersOf(program.url, 2);
    writeFileSync(switchFile, '');
    process.kill(victim, 'SIGKILL');
    await eventually(() => program.stderr().split('a worker has ended').length > 4);
    expect(program.stderr().split('a worker could not start')).toHaveLength(2);
    expect(program.stderr()).toContain('"reason":"Error: cannot start today');
  });

  test('a worker of its age is replaced, the successor ready first', async () => {
    const program = await start('--workers', '1', '--max-age', '1');
    const { client, worker } = await connect(program.url);
    client.end();
    await eventually(async () => {
      const next = await connect(program.url);
      next.client.reset();
      return next.worker !== worker;
    });
    await eventually(() => !isAlive(worker));
  });

  test('the pool grows while no worker is spare, and shrinks again once too many are', async () => {
    const control = path.join(scratch(), 'control');
    const program = await start('--workers', '1', '--spare', '1-1', '--max-workers', '2', '--control', control);
    const serving = async (): Promise<number> => {
      const status = await askControl(control, { command: 'status' });
      return status.ok ? (status.value as ServerStatus).workers.filter(({ at }) => at === 'ready').length : 0;
    };
    const { client } = await connect(program.url);
    await exchange(client, 'work');
    await eventually(async () => (await serving()) === 2);
    client.send('crash\n');
    await client.receiveAll();
    await eventually(async () => (await serving()) === 1);
  });

  test('a worker is replaced after its number of connections, the successor ready first', async () => {
    const program = await start('--workers', '1', '--max-served', '20');
    const [first] = await workersOf(program.url, 1);
    const { failed } = await underLoad(
      program.url,
      eventually(() => !isAlive(first ?? 0)),
    );
    expect(failed).toEqual([]);
  });
});

const noOtherUser = lacksOtherUser(PROGRAM.at(-1) ?? '');
if (noOtherUser !== undefined) console.log(`skipped: ${noOtherUser}`);

describe.runIf(process.getuid?.() === 0)('privileges that cannot be dropped', () => {
  test('end the program with status 1, since the user may not run it', async () => {
    // A folder that only root may enter.
    const node = path.join(scratch(), 'node');
    copyFileSync(process.execPath, node);
    chmodSync(node, 0o755);
    const child = spawn(node, [...PROGRAM, '--workers', '1', '--run-as', 'nobody', '--listen', 'tcp://127.0.0.1:0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1);
    expect(stderr).toContain('EACCES');
    expect(stderr).toContain('gave up after 5 workers');
  });
});

describe.skipIf(noOtherUser)('privileges (as root)', () => {
  test('workers become the user, in the group and in no other, after a privileged port was bound', async () => {
    const program = await start('--workers', '1', '--run-as', 'nobody:nogroup', '--listen', 'tcp://127.0.0.1:0');
    const [worker = 0] = await workersOf(program.url, 1);
    const status = readFileSync(`/proc/${worker}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    expect(status).toMatch(/^Gid:\t65534\t65534\t65534\t65534$/m);
    expect(/^Groups:(.*)$/m.exec(status)?.[1]?.trim()).toMatch(/^(65534)?$/);
  });

  test('a process that serves alone drops too', async () => {
    const program = await start('--workers', '0', '--run-as', 'nobody');
    expect(readFileSync(`/proc/${program.pid}/status`, 'utf8')).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
  });

  test.each(['0', '1'])(
    "with %s workers the user's code is loaded without them, and serves without them",
    async (workers) => {
      const program = await start('--workers', workers, '--run-as', 'nobody', '--uids');
      const client = await connectClient(program.url);
      expect(await client.receive('\n')).toBe('65534 65534\n');
      client.end();
    },
  );
});

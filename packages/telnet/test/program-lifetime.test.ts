// What becomes of the programs of sessions when the server's process ends.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { eventually, runProgram, startProgram, type Program } from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lacksOtherUser } from '../../../test/other-user.ts';
import { programArguments } from '../../../test/programs.ts';
import { dial, pidIn, program } from './program-fixture.ts';
import { NO_PTY } from './pty-fixture.ts';

const TELNET = programArguments('packages/telnet/src/main.ts');

interface Running {
  readonly server: Program;
  /** The process of the program that the session runs. */
  readonly pid: number;
  readonly said: () => string;
}

/** A server with one session, whose program says `pid` and its number. */
async function serve(script: string, terminal: 'pty' | 'pipes', ...options: readonly string[]): Promise<Running> {
  const file = await program(script);
  // Others may look for it, too.
  await chmod(dirname(file), 0o755);
  const handler = join(dirname(file), 'handler.mjs');
  await writeFile(
    handler,
    `export default (session) => session.spawn(${JSON.stringify(file)}, [], { terminal: '${terminal}' });`,
  );
  const server = await startProgram([...TELNET, '--listen', 'tcp://127.0.0.1:0', '--handler', handler, ...options]);
  onTestFinished(() => void server.stop());
  const client = await dial(Number(server.endpoints.telnet?.[0]?.split(':').at(-1)));
  await eventually(() => expect(pidIn(client.text)).toBeGreaterThan(0));
  const pid = pidIn(client.text);
  onTestFinished(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  return { server, pid, said: () => client.text };
}

/** One that was killed may wait as a zombie for an init that takes no notice of it, in a container. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
const gone = (pid: number): Promise<void> => eventually(() => expect(isRunning(pid)).toBe(false));
const DEAF = "trap '' HUP TERM INT; echo worker $PPID pid $$; while :; do sleep 0.1; done";

describe.skipIf(process.platform !== 'linux' || NO_PTY !== undefined)('a program that hears no hang-up', () => {
  test('is waited for by a drain, and killed after five seconds', async () => {
    const running = await serve(DEAF, 'pty', '--workers', '1');
    expect(await running.server.stop()).toBe(0);
    expect(isRunning(running.pid)).toBe(false);
    await eventually(() => expect(running.said()).toContain('This server is going down.\r\n'));
  });

  // At the same time: each takes the five seconds.
  test('does not outlive a process that ends sooner, or is killed', async () => {
    await Promise.all(
      (['pty', 'pipes'] as const).flatMap((terminal) => [endsSooner(terminal), workerIsKilled(terminal)]),
    );
  });

  async function endsSooner(terminal: 'pty' | 'pipes'): Promise<void> {
    const running = await serve(DEAF, terminal, '--workers', '0', '--drain-timeout', '1');
    expect(await running.server.stop()).toBe(0);
    await gone(running.pid);
  }
  async function workerIsKilled(terminal: 'pty' | 'pipes'): Promise<void> {
    const running = await serve(DEAF, terminal, '--workers', '1');
    process.kill(Number(/worker (\d+)/.exec(running.said())?.[1]), 'SIGKILL');
    await gone(running.pid);
  }
});

test.skipIf(process.platform !== 'linux')(
  'a program with pipes is hung up when the process of its server is killed',
  async () => {
    const running = await serve('echo pid $$; exec sleep 1000', 'pipes', '--workers', '0');
    process.kill(running.server.pid, 'SIGKILL');
    await gone(running.pid);
  },
);

test.skipIf(process.platform !== 'linux')(
  'a program is watched on when the one that had its process id before is forgotten',
  async () => {
    const { status, stdout } = await runProgram(programArguments('packages/telnet/test/fixtures/watch-program.ts'));
    expect(status).toBe(0);
    const pid = pidIn(stdout);
    onTestFinished(() => {
      if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    });
    await gone(pid);
  },
);

const noOtherUser = lacksOtherUser(TELNET.at(-1) ?? '');
test.skipIf(noOtherUser !== undefined)(
  'a program has the home and the names of the user that --run-as drops to',
  async () => {
    const [, , , , , home = '', shell = ''] = execFileSync('getent', ['passwd', 'nobody'], { encoding: 'utf8' })
      .trim()
      .split(':');
    const script = 'echo "<$USER $LOGNAME $HOME $SHELL>"; echo pid $$';
    const running = await serve(script, 'pipes', '--workers', '1', '--run-as', 'nobody');
    expect(running.said()).toContain(`<nobody nobody ${home} ${shell}>`);
  },
);

import { existsSync } from 'node:fs';
import { eventually } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { startWithPipes } from '../src/program/pipe-program.ts';
import { NO_PTY, startPty, watch } from './pty-fixture.ts';

const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`);
const pidIn = (output: string): number => Number(/pid (\d+)/.exec(output)?.[1]);

describe.skipIf(NO_PTY !== undefined)('a program on a pseudo-terminal', () => {
  test('has a terminal of the size that was asked for, and learns of another', async () => {
    const watched = watch(startPty(), 'trap "stty size; exit 0" WINCH; stty size; while :; do sleep 0.01; done', {
      columns: 97,
      rows: 31,
    });
    await eventually(() => expect(watched.output).toBe('31 97\r\n'));
    watched.program.resize(132, 43);
    expect(await watched.ended).toEqual({ exitCode: 0, signal: undefined });
    expect(watched.output).toBe('31 97\r\n43 132\r\n');
  });

  test('has the environment that was given, and nothing of ours but the working directory', async () => {
    const watched = watch(startPty(), '/usr/bin/env', { environment: { TERM: 'vt220', COLOUR: 'red' } });
    await watched.ended;
    const names = watched.output.split('\r\n').map((line) => line.split('=')[0]);
    expect(names).toEqual(expect.arrayContaining(['TERM', 'COLOUR', 'PWD']));
    expect(names).not.toContain('HOME');
    expect(watched.output).toContain('TERM=vt220');
  });

  test.skipIf(process.platform !== 'linux')('has no way to the terminals of other sessions', async () => {
    const first = watch(startPty(), 'echo ready; sleep 1000');
    await eventually(() => expect(first.output).toContain('ready'));
    for (const start of [startPty(), startWithPipes]) {
      const second = watch(start, 'ls -l /proc/self/fd');
      await second.ended;
      expect(second.output).toContain('/proc/');
      expect(second.output).not.toContain('ptmx');
    }
    first.program.hangUp();
    await first.ended;
  });

  test('says its exit status, and the signal that ended it', async () => {
    expect(await watch(startPty(), 'exit 7').ended).toEqual({ exitCode: 7, signal: undefined });
    expect(await watch(startPty(), 'kill -TERM $$').ended).toEqual({ exitCode: undefined, signal: 'SIGTERM' });
  });

  test('gets bytes and gives bytes, whatever they are', async () => {
    const watched = watch(startPty(), 'stty raw -echo; echo ready; head -c 256 | od -An -v -tu1 -w256');
    await eventually(() => expect(watched.output).toContain('ready'));
    watched.program.write(Uint8Array.from({ length: 256 }, (_, byte) => byte));
    await watched.ended;
    expect(watched.output.match(/\d+/g)?.map(Number)).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
  });

  test('a hundred short programs of 20 KB lose no byte', async () => {
    const script = 'head -c 20480 /dev/zero | tr "\\0" x';
    for (let round = 0; round < 20; round += 1) {
      const all = Array.from({ length: 5 }, () => watch(startPty(), script));
      await Promise.all(all.map(({ ended }) => ended));
      expect(all.map(({ output }) => output.length)).toEqual(Array(5).fill(20_480));
    }
  });

  test('a reader that pauses long after the exit loses no byte', async () => {
    const watched = watch(startPty(), 'head -c 20480 /dev/zero | tr "\\0" x');
    watched.program.pause();
    const { pid } = watched.program;
    // It ends where the kernel's buffer holds all that it writes, and waits where not; a first piece shows that it runs.
    await eventually(() => expect(isRunning(pid)).toBe(true));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(watched.hasEnded).toBe(false);
    watched.program.resume();
    await watched.ended;
    expect(watched.output).toHaveLength(20_480);
  });

  test('the end waits for a reader that pauses, and comes without one that holds the terminal open', async () => {
    const watched = watch(startPty(), 'trap "" HUP; (trap "" HUP; sleep 100) & echo pid $!');
    await watched.ended;
    const pid = pidIn(watched.output);
    watched.program.hangUp();
    process.kill(pid, 'SIGKILL');
    expect(watched.output).toContain(`pid ${pid}`);
  });

  test('a hang-up reaches the shell and what it runs in the foreground', async () => {
    const watched = watch(startPty(), "sh -c 'echo pid $$; exec sleep 1000'");
    await eventually(() => expect(pidIn(watched.output)).toBeGreaterThan(0));
    const pid = pidIn(watched.output);
    watched.program.hangUp();
    await eventually(() => expect(isRunning(pid)).toBe(false));
    await watched.ended;
  });

  test('resize, write, pause and hang-up after the end do no harm', async () => {
    const { program, ended } = watch(startPty(), 'exit 0');
    await ended;
    program.resize(100, 40);
    program.resize(0, 0);
    expect(program.write(Uint8Array.of(65))).toBe(true);
    program.pause();
    program.resume();
    program.interrupt();
    program.endInput();
    program.hangUp();
    program.hangUp();
    expect(await watch(startPty(), 'stty size').ended).toEqual({ exitCode: 0, signal: undefined });
  });

  test('input that is not read makes its writer wait, and all of it is read in the end', async () => {
    const watched = watch(startPty(), 'stty raw -echo; echo ready; sleep 0.2; head -c 400000 | wc -c');
    await eventually(() => expect(watched.output).toContain('ready'));
    const chunk = new Uint8Array(100_000).fill(65);
    expect([1, 2, 3, 4].map(() => watched.program.write(chunk))).toContain(false);
    await watched.ended;
    expect(watched.drained).toBe(1);
    expect(watched.output).toContain('400000');
  });
});

describe('a program on pipes', () => {
  test('gives its output and errors, says its status, and takes input', async () => {
    const watched = watch(startWithPipes, 'read line; echo "<$line>"; echo oops >&2; exit 3');
    watched.program.write(Buffer.from('hello\n'));
    expect(await watched.ended).toEqual({ exitCode: 3, signal: undefined });
    expect(watched.output).toContain('<hello>\n');
    expect(watched.output).toContain('oops\n');
  });

  test('its end of input is the end of ours, and ^C an interrupt', async () => {
    const first = watch(startWithPipes, 'cat');
    first.program.endInput();
    expect(await first.ended).toEqual({ exitCode: 0, signal: undefined });
    const second = watch(startWithPipes, 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.01; done');
    await eventually(() => expect(second.output).toContain('ready'));
    second.program.interrupt();
    expect(await second.ended).toEqual({ exitCode: 5, signal: undefined });
  });

  test('a hang-up ends it and its children', async () => {
    const watched = watch(startWithPipes, 'sleep 1000 & echo pid $!; wait');
    await eventually(() => expect(pidIn(watched.output)).toBeGreaterThan(0));
    watched.program.hangUp();
    await eventually(() => expect(isRunning(pidIn(watched.output))).toBe(false));
    await watched.ended;
  });

  test('one that is not there ends with no status', async () => {
    const watched = watch(startWithPipes, '', { file: '/nonexistent/program' });
    expect(await watched.ended).toEqual({ exitCode: undefined, signal: undefined });
  });
});

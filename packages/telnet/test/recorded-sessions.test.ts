import fs, { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeClock, eventually, startProgram } from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { programArguments } from '../../../test/programs.ts';
import type { TelnetHandler } from '../src/index.ts';
import { openRecordingFile } from '../src/recording/recording-file.ts';
import { recordSessions } from '../src/recording/recorded-sessions.ts';
import { dial, program } from './program-fixture.ts';
import { NO_PTY } from './pty-fixture.ts';
import { connectRaw } from './session-fixture.ts';

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wellknown-recordings-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
const linesOf = (file: string): unknown[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
const shownIn = (file: string): string =>
  linesOf(file)
    .slice(1)
    .map((event) => (event as [number, string, string])[2])
    .join('');

describe('recorded sessions', () => {
  test('are files of their own, which the owner alone may read, with all but what a password question shows', async () => {
    const directory = await emptyFolder();
    const handler: TelnetHandler = async (session) => {
      await session.print(`hello ${session.id}`);
      await session.askPassword('Password: ');
      await session.print('welcome');
    };
    const recorded = recordSessions(handler, { directory });
    const clients = [await connectRaw(recorded), await connectRaw(recorded)];
    for (const client of clients) {
      await client.received();
      await client.say('hunter2\r\n');
      expect(client.peer.sawEnd).toBe(true);
    }
    const names = readdirSync(directory);
    expect(names).toHaveLength(2);
    for (const name of names) {
      expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-\d+-\d+\.cast$/);
      const file = join(directory, name);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const id = /-(\d+)\.cast$/.exec(name)?.[1];
      expect(linesOf(file)[0]).toMatchObject({ version: 2, width: 80, height: 24, title: 'telnet 192.0.2.1:50000' });
      expect(shownIn(file)).toBe(`hello ${id}\r\nwelcome\r\n`);
    }
  });

  test('are complete once the connection has closed, whatever the handler does then', async () => {
    const directory = await emptyFolder();
    const recorded = recordSessions(
      async (session) => {
        await session.print('hello');
        await new Promise(() => undefined);
      },
      { directory },
    );
    const client = await connectRaw(recorded);
    await client.received();
    client.connection.destroy('peer-reset');
    const [name = ''] = readdirSync(directory);
    expect(shownIn(join(directory, name))).toBe('hello\r\n');
  });

  test('whose file cannot be made go on, and that is said once for each', async () => {
    const directory = await emptyFolder();
    rmSync(directory, { recursive: true });
    const failures: unknown[] = [];
    const recorded = recordSessions((session) => session.print('hello'), {
      directory,
      failed: (_session, error) => failures.push(error),
    });
    const client = await connectRaw(recorded);
    expect(await client.received()).toBe('hello\r\n');
    expect(failures).toMatchObject([{ code: 'ENOENT' }]);
  });

  test('take the programs of --exec from the command line, and a folder that is not there is refused', async () => {
    const directory = await emptyFolder();
    const file = await program('printf "one\\\\rtwo\\\\n"');
    const server = await startProgram([
      ...programArguments('packages/telnet/src/main.ts'),
      ...['--listen', 'tcp://127.0.0.1:0', '--workers', '1', '--exec', file, '--record', directory],
    ]);
    onTestFinished(() => void server.stop());
    const client = await dial(Number(server.endpoints.telnet?.[0]?.split(':').at(-1)));
    await eventually(() => expect(client.hasEnded).toBe(true));
    const [name = ''] = readdirSync(directory);
    expect(shownIn(join(directory, name))).toBe('one\rtwo\r\n');
  });

  test.skipIf(NO_PTY !== undefined || process.platform !== 'linux')(
    'have nothing of a password that a program on a pseudo-terminal reads, and hold no descriptor once they end',
    async () => {
      const directory = await emptyFolder();
      const file = await program(
        'stty -echo; printf "Password: "; read secret; stty echo; echo; read line; echo "<$line>"',
      );
      const server = await startProgram([
        ...programArguments('packages/telnet/src/main.ts'),
        ...['--listen', 'tcp://127.0.0.1:0', '--workers', '0', '--exec', file, '--record', directory],
      ]);
      onTestFinished(() => void server.stop());
      const client = await dial(Number(server.endpoints.telnet?.[0]?.split(':').at(-1)));
      await eventually(() => expect(client.text).toContain('Password: '));
      client.socket.write('hunter2\r\n');
      await eventually(() => expect(client.text).toContain('Password: \r\n'));
      client.socket.write('shown\r\n');
      await eventually(() => expect(client.hasEnded).toBe(true));
      const [name = ''] = readdirSync(directory);
      expect(shownIn(join(directory, name))).toBe('Password: \r\nshown\r\n<shown>\r\n');
      const openFiles = (): string[] =>
        readdirSync(`/proc/${server.pid}/fd`).map((fd) => {
          try {
            return fs.readlinkSync(`/proc/${server.pid}/fd/${fd}`);
          } catch {
            // Closed meanwhile.
            return '';
          }
        });
      await eventually(() => {
        expect(openFiles()).not.toContain(join(directory, name));
        expect(openFiles()).not.toContain('/dev/ptmx');
      });
    },
  );
});

describe('the file of a recording', () => {
  test('gathers lines for a second, or until there are many', async () => {
    const clock = createFakeClock();
    const path = join(await emptyFolder(), 'a.cast');
    const file = openRecordingFile(path, clock, () => undefined);
    file.write('one\n');
    clock.advance(999);
    expect(readFileSync(path, 'utf8')).toBe('');
    clock.advance(1);
    expect(readFileSync(path, 'utf8')).toBe('one\n');
    file.write('x'.repeat(65_535));
    expect(statSync(path).size).toBe(4);
    file.write('y');
    expect(statSync(path).size).toBe(4 + 65_536);
    file.write('last\n');
    file.close();
    file.close();
    file.write('never');
    expect(readFileSync(path, 'utf8')).toMatch(/last\n$/);
  });

  test('is never one that is there already', async () => {
    const path = join(await emptyFolder(), 'a.cast');
    fs.symlinkSync('/etc/passwd', path);
    expect(() => openRecordingFile(path, createFakeClock(), () => undefined)).toThrow('EEXIST');
  });

  test('ends with its last whole line when the disk is full, which is said once', async () => {
    const clock = createFakeClock();
    const path = join(await emptyFolder(), 'a.cast');
    const failures: unknown[] = [];
    const file = openRecordingFile(path, clock, (error) => failures.push(error));
    file.write('one\n');
    clock.advance(1000);
    const { writeSync } = fs;
    let calls = 0;
    const full = vi.spyOn(fs, 'writeSync').mockImplementation(((
      fd: number,
      bytes: Buffer,
      at: number,
      _: number,
      to: number,
    ) => {
      calls += 1;
      if (calls > 1) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      return writeSync(fd, bytes, at, 2, to);
    }) as never);
    onTestFinished(() => full.mockRestore());
    file.write('two\n');
    clock.advance(1000);
    file.write('three\n');
    clock.advance(1000);
    file.close();
    expect(readFileSync(path, 'utf8')).toBe('one\n');
    expect(failures).toMatchObject([{ code: 'ENOSPC' }]);
  });
});

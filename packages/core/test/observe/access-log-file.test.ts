import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openAccessLog } from '../../src/observe/access-log-file.ts';
import { eventually } from '../../src/testing/index.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wellknown-http-log-'));
  file = path.join(folder, 'access.log');
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const failures: unknown[] = [];
const open = (): ReturnType<typeof openAccessLog> => openAccessLog(file, (error) => failures.push(error));

test('lines are appended to what is there, together, at the latest at the end', () => {
  fs.writeFileSync(file, 'before\n');
  const log = open();
  log.write('one\n');
  log.write('two\n');
  expect(fs.readFileSync(file, 'utf8')).toBe('before\n');
  log.close();
  expect(fs.readFileSync(file, 'utf8')).toBe('before\none\ntwo\n');
});

test('many lines don’t gather in memory', () => {
  const log = open();
  for (let line = 0; line < 1_000; line += 1) log.write(`${'x'.repeat(99)}\n`);
  expect(fs.statSync(file).size).toBeGreaterThan(60_000);
  log.close();
  expect(fs.statSync(file).size).toBe(100_000);
});

test('a file that was moved away is left alone, and a new one begun, with and without being asked', () => {
  const log = open();
  log.write('first\n');
  log.reopen();
  fs.renameSync(file, `${file}.1`);
  log.write('second\n');
  log.reopen();
  fs.renameSync(file, `${file}.2`);
  log.write('third\n');
  log.reopen();
  log.close();
  expect([`${file}.1`, `${file}.2`, file].map((name) => fs.readFileSync(name, 'utf8'))).toEqual([
    'first\n',
    'second\n',
    'third\n',
  ]);
});

test('who writes nothing lets go of a file that was moved away, and begins the new one', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const log = open();
  fs.renameSync(file, `${file}.1`);
  vi.advanceTimersByTime(10_000);
  await eventually(() => fs.existsSync(file));
  const held = fs.readdirSync('/proc/self/fd').map((descriptor) => {
    // That of the listing itself is closed by now.
    const name = path.join('/proc/self/fd', descriptor);
    return fs.existsSync(name) ? fs.readlinkSync(name) : '';
  });
  expect(held).not.toContain(`${file}.1`);
  log.close();
  expect(vi.getTimerCount()).toBe(0);
});

test('a file that can’t be opened throws, and a folder that is gone later is reported once', () => {
  expect(() => openAccessLog(path.join(folder, 'none', 'access.log'), () => undefined)).toThrow('ENOENT');
  const log = open();
  fs.rmSync(folder, { recursive: true });
  for (let turn = 0; turn < 3; turn += 1) log.write('x'.repeat(70_000));
  expect(failures).toHaveLength(1);
  log.close();
});

test('what a full disk does not take is counted, and a line that it took in part stays a line of its own', () => {
  const lost: number[] = [];
  const log = openAccessLog(file, (error) => failures.push(error), { onLost: (lines) => lost.push(lines) });
  const [writeSync, before] = [fs.writeSync, failures.length];
  const full = (room: number) =>
    vi.spyOn(fs, 'writeSync').mockImplementation(((descriptor: number, bytes: Buffer, offset: number) => {
      const taken = Math.min(room, bytes.length - offset);
      if (taken === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      room -= taken;
      return writeSync(descriptor, bytes, offset, taken);
    }) as typeof fs.writeSync);
  for (const room of [12, 0, 3]) {
    const spy = full(room);
    log.write('first 01\nsecond 2\nthird 03\n');
    log.reopen();
    spy.mockRestore();
  }
  expect(lost).toEqual([]);
  log.write('at last\n');
  log.close();
  // Of the first three one is there, of the next three none, and of the last a piece.
  expect(lost).toEqual([8]);
  expect(failures.slice(before)).toHaveLength(1);
  expect(fs.readFileSync(file, 'utf8')).toBe('first 01\nsec\nfi\nat last\n');
});

test('where no new file may be made, lines go on into the old one until another process has made it', () => {
  const reported: unknown[] = [];
  const log = openAccessLog(file, (error) => reported.push(error));
  log.write('first\n');
  log.reopen();
  // As a folder that may not be written to; tests may run as root, who may.
  const open = fs.openSync;
  const spy = vi.spyOn(fs, 'openSync').mockImplementation(() => {
    throw Object.assign(new Error('no'), { code: 'EACCES' });
  });
  fs.renameSync(file, `${file}.1`);
  log.write('second\n');
  log.reopen();
  log.write('third\n');
  log.reopen();
  expect(fs.readFileSync(`${file}.1`, 'utf8')).toBe('first\nsecond\nthird\n');
  expect(reported).not.toHaveLength(0);
  spy.mockImplementation(open);
  log.write('fourth\n');
  log.close();
  expect(fs.readFileSync(file, 'utf8')).toBe('fourth\n');
});

test('what is asked of it after its end does nothing: its descriptor may be somebody else’s by then', () => {
  const log = open();
  log.close();
  const other = path.join(folder, 'other');
  const descriptor = fs.openSync(other, 'w');
  log.write('late\n');
  log.reopen();
  log.close();
  fs.writeSync(descriptor, 'mine');
  fs.closeSync(descriptor);
  expect([fs.readFileSync(other, 'utf8'), fs.readFileSync(file, 'utf8')]).toEqual(['mine', '']);
});

describe('a file that root makes for another user', () => {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) console.warn('not root: the tests of files made for another user are skipped');
  const owner = { uid: 65_534, gid: 65_534 };

  test.skipIf(!isRoot)('is theirs', () => {
    openAccessLog(file, () => undefined, { owner }).close();
    const { uid, gid, mode } = fs.statSync(file);
    expect([uid, gid, mode & 0o777]).toEqual([65_534, 65_534, 0o640]);
  });

  test.skipIf(!isRoot)('is only given away when it is new, and never through a link', () => {
    const precious = path.join(folder, 'precious');
    fs.writeFileSync(precious, '', { mode: 0o600 });
    fs.symlinkSync(precious, file);
    openAccessLog(file, () => undefined, { owner }).close();
    expect(fs.statSync(precious).uid).toBe(0);
    fs.rmSync(precious);
    expect(() => openAccessLog(file, () => undefined, { owner })).toThrow('ENOENT');
  });
});

describe('a pipe', () => {
  const reader = (): number => fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const read = (descriptor: number): string => {
    let text = '';
    const chunk = Buffer.alloc(65_536);
    try {
      for (let length = 1; length > 0; text += chunk.toString('latin1', 0, length))
        length = fs.readSync(descriptor, chunk);
    } catch (error) {
      // Empty, and its writer is there.
      expect(error).toMatchObject({ code: 'EAGAIN' });
    }
    return text;
  };
  const opened = (): { log: ReturnType<typeof openAccessLog>; losses: number[]; reported: unknown[] } => {
    expect(spawnSync('mkfifo', [file]).status).toBe(0);
    const [losses, reported]: [number[], unknown[]] = [[], []];
    const log = openAccessLog(file, (error) => reported.push(error), { onLost: (lines) => losses.push(lines) });
    return { log, losses, reported };
  };

  test('without a reader is opened all the same, and holds what comes for one', () => {
    const { log } = opened();
    log.write('early\n');
    log.reopen();
    const descriptor = reader();
    expect(read(descriptor)).toBe('early\n');
    log.close();
    fs.closeSync(descriptor);
  });

  test('whose reader is slow gets all lines, whole and in order', async () => {
    const { log, losses } = opened();
    const descriptor = reader();
    const lines = Array.from({ length: 3_000 }, (_, index) => `${index} ${'x'.repeat(index % 200)}\n`);
    for (const line of lines) log.write(line);
    let text = '';
    while (text.length < lines.join('').length) {
      text += read(descriptor);
      log.reopen();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(text).toBe(lines.join(''));
    expect(losses).toEqual([]);
    log.close();
    fs.closeSync(descriptor);
  });

  test('that is not read holds up nobody: past 8 MiB lines are lost, said once, and counted when it is read again', () => {
    const { log, losses, reported } = opened();
    const descriptor = reader();
    const line = `${'x'.repeat(9_999)}\n`;
    for (let count = 0; count < 1_000; count += 1) log.write(line);
    expect(reported).toHaveLength(1);
    expect(losses).toEqual([]);
    let text = '';
    while (losses.length === 0) {
      text += read(descriptor);
      log.reopen();
    }
    text += read(descriptor);
    expect(text.length % line.length).toBe(0);
    expect(losses).toEqual([1_000 - text.length / line.length]);
    log.close();
    fs.closeSync(descriptor);
  });

  test('whose reader has gone keeps what comes for the next one', () => {
    const { log, losses, reported } = opened();
    fs.closeSync(reader());
    for (const line of ['one\n', 'two\n']) {
      log.write(line);
      log.reopen();
    }
    const descriptor = reader();
    expect(read(descriptor)).toBe('one\ntwo\n');
    expect([losses, reported]).toEqual([[], []]);
    log.close();
    fs.closeSync(descriptor);
  });
});

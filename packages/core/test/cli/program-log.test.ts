// The log of a program: what a line looks like, and that an output that is slow or gone costs lines and nothing else.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { pino } from 'pino';
import { openLineOutput } from '../../src/cli/line-output.ts';
import { prettyLine } from '../../src/cli/pretty-line.ts';
import { createProgramLog } from '../../src/cli/program-log.ts';
import { eventually } from '../../src/testing/index.ts';

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants;

/** A pipe that nothing reads yet. */
function pipe(): { readEnd: number; writeEnd: number; file: string } {
  const file = path.join(fs.mkdtempSync(path.join(tmpdir(), 'wellknown-')), 'pipe');
  spawnSync('mkfifo', [file]);
  return {
    file,
    readEnd: fs.openSync(file, O_RDONLY | O_NONBLOCK),
    writeEnd: fs.openSync(file, O_WRONLY | O_NONBLOCK),
  };
}

/** What is in the pipe now. */
function readAll(descriptor: number): string {
  const chunk = Buffer.alloc(65_536);
  let text = '';
  for (;;) {
    try {
      const length = fs.readSync(descriptor, chunk);
      if (length === 0) return text;
      text += chunk.toString('latin1', 0, length);
    } catch {
      return text;
    }
  }
}

const LINE = `${'x'.repeat(99)}\n`;
const isWhole = (line: string): boolean => line === LINE.trimEnd();

test('a library that can not be loaded costs the form of a line, and not the process', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const load = vi.fn(() => {
    throw new Error('Cannot find module');
  });
  vi.useFakeTimers();
  try {
    const { log } = createProgramLog({ load }, 'info', 'json');
    vi.runAllTimers();
    expect(load).toHaveBeenCalledTimes(1);
    log.debug({}, 'not logged, so not tried');
    expect(load).toHaveBeenCalledTimes(1);
    log.warn({}, 'a worker has ended');
    expect(JSON.stringify([said.mock.calls, warned.mock.calls])).toContain('a worker has ended');
  } finally {
    vi.useRealTimers();
    vi.restoreAllMocks();
  }
});

test('a library that is loaded after a look at a pipe is found by its links', () => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), 'wellknown-')));
  const packages = path.join(folder, 'node_modules');
  fs.mkdirSync(path.join(folder, 'store'));
  fs.mkdirSync(packages);
  for (const name of ['first', 'second']) {
    fs.writeFileSync(path.join(folder, 'store', `${name}.js`), '');
    fs.symlinkSync(`../store/${name}.js`, path.join(packages, `${name}.js`));
  }
  const { resolve } = createRequire(path.join(folder, 'program.js'));
  // From now on Node knows the directories on the way.
  resolve('first.js');
  const { file, readEnd, writeEnd } = pipe();
  const load = vi.fn(() => {
    expect(resolve('second.js')).toBe(path.join(folder, 'store', 'second.js'));
    return pino;
  });
  vi.useFakeTimers();
  createProgramLog({ load }, 'info', 'json');
  expect(fs.statSync(file).isFIFO()).toBe(true);
  vi.runAllTimers();
  vi.useRealTimers();
  expect(load).toHaveReturnedTimes(1);
  fs.closeSync(readEnd);
  fs.closeSync(writeEnd);
  for (const each of [folder, path.dirname(file)]) fs.rmSync(each, { recursive: true });
});

describe('lines to a pipe', () => {
  test('that is not read wait, and arrive whole and all of them once it is', async () => {
    const { readEnd, writeEnd } = pipe();
    const output = openLineOutput(pino, writeEnd, () => undefined);
    for (let sent = 0; sent < 15_000; sent += 1) output.write(LINE);
    let text = '';
    await eventually(() => (text += readAll(readEnd)).length >= 15_000 * LINE.length);
    const lines = text.split('\n').slice(0, -1);
    expect(lines).toHaveLength(15_000);
    expect(lines.filter((line) => !isWhole(line))).toEqual([]);
  });

  test('that is not read are given up past 8 MiB, whole ones, and counted once when it is read again', async () => {
    const { readEnd, writeEnd } = pipe();
    const losses: number[] = [];
    const output = openLineOutput(pino, writeEnd, (count) => losses.push(count));
    const sent = 100_000;
    for (let line = 0; line < sent; line += 1) output.write(LINE);
    expect(losses).toEqual([]);
    let text = '';
    await eventually(() => {
      text += readAll(readEnd);
      return losses.length > 0;
    });
    const lines = (text + readAll(readEnd)).split('\n').slice(0, -1);
    expect(lines.filter((line) => !isWhole(line))).toEqual([]);
    expect(losses).toEqual([sent - lines.length]);
    // What waits is what is allowed to, and the kernel's own buffer.
    expect(lines.length * LINE.length).toBeGreaterThan(8 * 1024 * 1024 - LINE.length);
  });

  test('whose reader has gone are kept for the next one', async () => {
    const { file, readEnd, writeEnd } = pipe();
    const output = openLineOutput(pino, writeEnd, () => undefined);
    fs.closeSync(readEnd);
    output.write(LINE);
    output.write(LINE);
    const again = fs.openSync(file, O_RDONLY | O_NONBLOCK);
    let text = '';
    await eventually(() => (text += readAll(again)) === LINE + LINE);
  });
});

describe('a line for people', () => {
  const line = (fields: object): string => JSON.stringify({ level: 40, time: 0, pid: 7, ...fields });

  test('has the time, the level, the process, the words and the fields', () => {
    expect(prettyLine(line({ why: 'full', count: 3, msg: 'turned away' }), false)).toBe(
      '00:00:00.000 warn  [7] turned away why=full count=3\n',
    );
  });

  test('has the stack of an error below it, and nothing that steers a terminal', () => {
    const err = { type: 'Error', message: 'no\u001b[2J', stack: 'Error: no\u001b[2J\n    at here (file.js:1:2)' };
    expect(prettyLine(line({ err, msg: 'it failed' }), false)).toBe(
      '00:00:00.000 warn  [7] it failed err=no\\x1b[2J\n    Error: no\\x1b[2J\n    at here (file.js:1:2)\n',
    );
  });

  test('is coloured where the terminal shows colours', () => {
    expect(prettyLine(line({ msg: 'words' }), true)).toBe(
      '\u001b[2m00:00:00.000\u001b[0m \u001b[33mwarn \u001b[0m [7] words\n',
    );
  });
});

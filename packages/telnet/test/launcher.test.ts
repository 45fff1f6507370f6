import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { closingOthers, findLauncher } from '../src/program/launcher.ts';

test('a program is started with no descriptor of ours, also where its path is relative to its directory', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'wellknown-launcher-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(path.join(directory, 'program'), '#!/bin/sh\n');
  chmodSync(path.join(directory, 'program'), 0o755);
  expect(findLauncher()).toBe(true);
  const started = [
    closingOthers({ file: './program', arguments: ['a'], directory }),
    closingOthers({ file: path.join(directory, 'program'), arguments: ['a'] }),
    // Who starts it hears that it is not there.
    closingOthers({ file: './gone', arguments: ['a'], directory }),
  ];
  expect(started.map(({ file }) => path.basename(file) === 'program' || file === './program')).toEqual([
    false,
    false,
    false,
  ]);
  expect(started.map(({ arguments: args }) => args.at(-1))).toEqual(['a', 'a', 'a']);
  expect(started[2]?.file).toBe('./gone');
});

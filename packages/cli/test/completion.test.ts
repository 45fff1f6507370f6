// Completion scripts, given to the shells that they are for.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lacks } from '@wellknown/core/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../../../test/command-line.ts';
import { run } from '../src/run.ts';

const told = (...argv: readonly string[]) => runHere(() => run(argv));

describe('in bash', () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-completion-')), 'bash');
  beforeAll(async () => writeFileSync(file, (await told('completion', 'bash')).stdout));

  /** What bash offers for the last word. */
  const completed = (...words: readonly string[]): string[] => {
    const script = `source ${file}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _wellknown; printf '%s\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: path.dirname(file) });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  };

  test.each([
    [['wellknown', 'te'], ['telnet']],
    [
      ['wellknown', 'http', '--acc'],
      ['--access-log', '--accept'],
    ],
    [['wellknown', 'status', '--j'], ['--json']],
    [['wellknown', 'help', 'endp'], ['endpoints']],
    [['wellknown', 'completion', 'f'], ['fish']],
    [['wellknown', 'completion', 'fish', ''], []],
    [['wellknown', 'log-level', '--control', 'socket', 'de'], ['debug']],
    [['wellknown', 'log-level', 'debug', '--js'], ['--json']],
    [['wellknown', 'man', 'te'], ['telnet']],
    [['wellknown', 'log-level', 'w'], ['warn']],
    [['wellknown', 'http', '--handler', 'ba'], ['bash']],
    [['wellknown', 'http', '--workers', ''], []],
  ])('%j is completed to %j', (words, expected) => {
    expect(completed(...words)).toEqual(expected);
  });

  test.each([
    ['my\\ ', '<my site/index file.html>'],
    ['"my s', '<my site/index file.html>'],
    ['every\\*', '<every*thing>'],
  ])('a name with a blank or an asterisk is completed as one word where %s is typed', (typed, argument) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-completion-'));
    mkdirSync(path.join(folder, 'my site'));
    for (const name of ['my site/index file.html', 'every*thing', 'every-thing'])
      writeFileSync(path.join(folder, name), '');
    // An interactive bash, which reads its keys from a pipe: a tab completes, the second one below the folder.
    const keys = `source ${file}\nwellknown() { printf '<%s>\\n' "$3"; }\nwellknown http --handler ${typed}\t\t\nexit\n`;
    const { stdout } = spawnSync('bash', ['--norc', '-i'], { input: keys, encoding: 'utf8', cwd: folder });
    expect(stdout.split('\n')).toContain(argument);
  });
});

describe.skipIf(lacks('fish'))('in fish', () => {
  test.each([
    ['te', ['telnet']],
    ['status --j', ['--json']],
    ['completion f', ['fish']],
    ['completion fish ', []],
    ['log-level --control socket de', ['debug']],
    ['man te', ['telnet']],
    // http is an argument here, and not the command whose options follow.
    ['man http --acc', []],
    ['help endp', ['endpoints']],
  ])('%j is completed to %j', async (typed, expected) => {
    const script = `${(await told('completion', 'fish')).stdout}\ncomplete -C 'wellknown ${typed}'`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect([...stdout.matchAll(/^[^\t\n]+/gm)].map(([word]) => word)).toEqual(expected);
  });
});

test.each(['bash', 'zsh', 'fish'])('the script for %s is read by its shell without a complaint', async (shell) => {
  const { stdout } = await told('completion', shell);
  expect(stdout).toContain('max-connections-per-ip');
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'wellknown-completion-')), 'script');
  writeFileSync(file, stdout);
  const { error, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
  // zsh and fish are on few machines; bash is on each.
  expect(error === undefined ? stderr : `${shell}: no complaint, it is not here`).toMatch(/^$|it is not here$/);
});

test('an unknown shell is refused, with those that are known', async () => {
  expect(await told('completion', 'tcsh')).toMatchObject({ status: 2, stdout: '' });
  expect((await told('completion')).stderr).toContain('SHELL is missing, allowed is bash, zsh, fish');
});

describe('the manual page', () => {
  test('of http has every option, and what roff would read stays text', async () => {
    const { stdout } = await told('man', 'http');
    expect(stdout).toMatch(/^\.TH "WELLKNOWN\\-HTTP" "1"/);
    expect(stdout).toContain('.B \\-\\-listen ENDPOINT\n');
    expect(stdout).toContain('.B \\-\\-heartbeat\\-timeout SECONDS\n');
    expect(stdout.split('\n').filter((line) => /^['.]/.test(line) && !/^\.(?:TH|SH|SS|TP|B|BR) ?/.test(line))).toEqual(
      [],
    );
  });

  test('of the program names every command', async () => {
    expect((await told('man')).stdout).toContain('.BR wellknown\\-telnet (1)\n');
    expect((await told('man', 'no')).stderr).toContain("COMMAND is 'no', allowed is up, http");
  });

  test.skipIf(lacks('groff'))('is read by groff without a warning', async () => {
    for (const argv of [['man'], ['man', 'http'], ['man', 'exec']]) {
      const { stderr, stdout } = spawnSync('groff', ['-man', '-Tutf8', '-ww'], {
        input: (await told(...argv)).stdout,
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      // Bold is a letter over itself.
      expect(stdout.replace(/.\u0008/g, '')).toContain('NAME\n');
    }
  });
});

// What a person who is new to it gets wrong, and is told: what was given, what is allowed, what to do. Never a stack trace.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runHere } from '../../../test/command-line.ts';
import { run } from '../src/run.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-mistakes-'));
const HERE = ['--listen', 'tcp://127.0.0.1:0'];

const wellknown = (...args: string[]) => runHere(() => run(args));

describe('a command line', () => {
  test.each<[args: string[], words: string]>([
    [['http', folder, '--port', '8080'], 'unknown option --port, see --help; meant may be --listen ENDPOINT'],
    [['http', folder, '-p', '8080'], 'unknown option -p, see --help; meant may be --listen ENDPOINT'],
    [['http', folder, '--host', '::'], 'meant may be --listen ENDPOINT'],
    [['http', folder, '--cert', 'x'], 'meant may be --tls-cert FILE'],
    [['up', '-c', 'x.yaml'], 'unknown option -c, see --help; meant may be --config FILE'],
    [['ftp', folder, '--user', 'ftp'], 'meant may be --run-as USER[:GROUP]'],
    [['http', folder, '--verbose'], 'meant may be --log-level LEVEL'],
    [
      ['http', folder, '--log-level', 'warning'],
      "--log-level is 'warning', allowed is debug, info, warn, error; meant may be 'warn'",
    ],
    [['http', folder, '--listen', 'TCP://127.0.0.1:80'], "unknown scheme 'TCP', expected tcp://HOST:PORT"],
    [['http', folder, '--listen', 'TCP://127.0.0.1:80'], "; meant may be 'tcp://127.0.0.1:80'"],
    [['http', folder, '--listen', 'tcp://127.0.0.1'], 'the port is missing, expected tcp://HOST:PORT'],
    [
      ['http', folder, '--max-connections', '99999999999999999999'],
      'allowed is a whole number from 1 to 9007199254740991',
    ],
    [
      ['http', folder, ...HERE, '--admin', 'here'],
      "--admin is 'here', allowed is tcp://HOST:PORT, or a port of 127.0.0.1",
    ],
    [['http', folder, ...HERE, '--admin', 'localhost:9000'], "; meant may be 'tcp://localhost:9000'"],
    [
      ['http', folder, ...HERE, '--control', '@name'],
      "--control is '@name', allowed is the path of a file, whose mode keeps others out; ./@name is one",
    ],
    [['http', folder, ...HERE, '--control', 'x'.repeat(108)], '--control: endpoint'],
    [
      ['http', folder, ...HERE, '--pid-file', folder],
      `--pid-file is '${folder}', which cannot be written: it is a folder`,
    ],
    [
      ['http', folder, ...HERE, '--pid-file', '/nowhere/pid'],
      "can't be written (ENOENT): its folder does not exist; allowed is a path in a writable folder",
    ],
    [
      ['http', folder, ...HERE, '--admin', '0', '--admin-token-file', folder],
      "can't be read (EISDIR): it is a folder: 'openssl rand -hex 16' makes a token for it",
    ],
    [['telnet', '--access-log', '-'], '--access-log is for http and ftp'],
    [
      ['up', '--access-log', '/nowhere/log', '--port-offset', '30000'],
      "--access-log '/nowhere/log' can't be opened (ENOENT): its folder does not exist",
    ],
    [
      ['exec', ...HERE, 'cat'],
      "unexpected argument 'cat': the program and its arguments stand behind --, as in -- PROGRAM [ARG…]",
    ],
    [
      ['telnet', ...HERE, '--exec', 'no-such-program'],
      "; one of PATH goes by its whole path, which 'command -v no-such-program' shows",
    ],
    [['telnet', ...HERE, '--exec', '/bin/ls -l'], '; it is a path without arguments, which a script of yours may add'],
    [['--listen', 'tcp://:80'], "a command goes before '--listen', allowed are up,"],
    [['check', '--config', '/nowhere/x.yaml'], "wellknown check: the configuration '/nowhere/x.yaml' does not exist\n"],
  ])('%j ends with status 2 and says what to do', async (args, words) => {
    const { status, stdout, stderr } = await wellknown(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });

  test.each(['--handler', '--pid-file', '--control', '--access-log', '--tls-cert', '--admin-token-file'])(
    '%s with an empty name, as an unset variable of a shell leaves it, is said to be that',
    async (option) => {
      const { status, stderr } = await wellknown('http', ...HERE, option, '');
      expect([status, stderr]).toEqual([
        2,
        expect.stringMatching(
          new RegExp(
            `^wellknown http: ${option} is '', expected (FILE|PATH); a variable that stands there may be empty\n$`,
          ),
        ),
      ]);
    },
  );

  test.each(['--version', '-V', '-v', 'version'])('%s prints the version', async (word) => {
    expect(await wellknown(word)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^wellknown \d/) as string,
    });
  });
});

// What a person who is new to it gets wrong, and is told: what was given, what is allowed, what to do. Never a stack trace.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runHere } from '../../../test/command-line.ts';
import { programArguments } from '../../../test/programs.ts';
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
      `--pid-file is '${folder}', which can't be written: it is a folder`,
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

  test('from a folder that is gone is said to be that, without a stack trace', () => {
    const program = [process.execPath, ...programArguments('packages/cli/src/main.ts'), 'http', '.', ...HERE];
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', 'rmdir "$PWD" && exec "$@"', 'sh', ...program, '--workers', '0'],
      {
        cwd: mkdtempSync(path.join(folder, 'gone-')),
        encoding: 'utf8',
      },
    );
    expect([status, stderr]).toEqual([
      2,
      'wellknown http: the folder that it was started in is gone: change to one that is there\n',
    ]);
  });

  test.each(['--version', '-V', '-v', 'version'])('%s prints the version', async (word) => {
    expect(await wellknown(word)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^wellknown \d/) as string,
    });
  });
});

describe('a configuration', () => {
  let files = 0;
  const check = async (name: string, content: string | Uint8Array) => {
    const file = path.join(folder, `${(files += 1)}`, name);
    mkdirSync(path.dirname(file));
    writeFileSync(file, content);
    const { status, stderr } = await wellknown('check', '--config', file);
    return { status, stderr: stderr.replaceAll(`${path.dirname(file)}/`, '') };
  };
  const ftp = (account: string) => `services:\n  files:\n    protocol: ftp\n    root: .\n    account: ${account}\n`;

  test.each<[what: string, content: string, words: string]>([
    ['a key twice', 'services:\n  a: {protocol: echo}\n  a: {protocol: echo}\n', 'x.yaml:3:3: this key is there twice'],
    [
      'two documents',
      'services:\n  a: {protocol: echo}\n---\n',
      "x.yaml:3:1: a second document begins here ('---'), allowed is one",
    ],
    [
      'a line too far right',
      'services:\n  a:\n   protocol: http\n    root: .\n',
      'x.yaml:3:14: a value stands behind this key already',
    ],
    [
      'a path of Windows',
      'services:\n  a: {protocol: http, root: "C:\\site"}\n',
      'a backslash escapes in double quotes: write it twice, or use single quotes',
    ],
    [
      'a key of another protocol',
      'services:\n  a: {protocol: http, root: ., write: true}\n',
      "services.a.write: the key 'write' is unknown; it is for a service of ftp",
    ],
    [
      'a key of a service beside them',
      'root: .\nservices:\n  a: {protocol: echo}\n',
      "root: the key 'root' is unknown; it is for a service of http, ftp",
    ],
    [
      'a user who is not there',
      'runAs: nobody-at-all\nservices:\n  a: {protocol: echo}\n',
      "x.yaml:1:1: runAs: runAs: the user 'nobody-at-all' does not exist",
    ],
    [
      'an empty path',
      'pidFile: ""\nservices:\n  a: {protocol: echo}\n',
      "x.yaml:1:1: pidFile: pidFile is '', allowed is a text (PATH)",
    ],
    [
      'a variable of a shell',
      ftp('"ann:${ANN_PASSWORD}"'),
      "account: '${ANN_PASSWORD}' is not replaced here; write { env: 'ANN_PASSWORD' } in place of a part",
    ],
    [
      'a misspelt source of a secret',
      ftp('{name: ann, password: {environment: X}}'),
      "password is an object, allowed is a text in quotes; a secret is { env: 'NAME' } or { file: 'PATH' }",
    ],
    [
      'a password without quotes',
      ftp('{name: ann, password: 12345}'),
      'account.password: password is a number, allowed is a text in quotes',
    ],
  ])('with %s is told so, with its place', async (_, content, words) => {
    const { status, stderr } = await check('x.yaml', content);
    expect(status).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('12345');
  });

  test.each([
    ['UTF-16', Buffer.from('services:', 'utf16le')],
    ['Latin-1', Buffer.from('services: {é: 1}', 'latin1')],
    ['no text', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0])],
  ])('in %s is said to be no text in UTF-8', async (_, content) => {
    expect(await check('x.yaml', content)).toEqual({
      status: 2,
      stderr: "wellknown check: the configuration 'x.yaml' is no text in UTF-8: save it as that\n",
    });
  });

  test.each([
    ['throws', "throw new Error('no database');", /can't be loaded: no database \(at file:.*x\.mjs:1:7\)\n$/],
    [
      'has a mistake of syntax',
      'export default {\n',
      /can't be loaded: Unexpected end of input; 'node --check .*x\.mjs' shows where\n$/,
    ],
    [
      'never settles',
      'await new Promise(() => {});',
      /it ended the thread that it was loaded in: an await in it never settles, or it calls process\.exit\(\)\n$/,
    ],
  ])('that is a module and %s is told so, with the place', async (_, content, words) => {
    const { status, stderr } = await check('x.mjs', content);
    expect(status).toBe(2);
    expect(stderr).toMatch(words);
  });
});

// The command line of exec, and what depends on the kinds of listeners that a server has.

import { describe, expect, test, vi } from 'vitest';
import { COMMON_OPTIONS, parseServerArguments } from '../../src/cli/index.ts';
import { parseExecArguments } from '../../src/cli/run-exec.ts';

const parse = (options: readonly string[]) =>
  parseExecArguments([...options, '--listen', 'tcp://127.0.0.1:0', '--', 'cat', '--listen', 'x']);

const OF_BOTH = [
  // Anybody may stay who he is.
  ['--run-as', String(process.getuid?.() ?? 0)],
  ['--drain-timeout', '1'],
  ['--backlog', '1'],
  ['--unix-mode', '0660'],
  ['--control', 'x'],
  ['--pid-file', 'x'],
  ['--log-level', 'info'],
  ['--log-format', 'json'],
  ['--listen', 'unix:x'],
];
const WITHOUT_WAIT = [
  ['--max-connections', '1'],
  ['--max-connections-per-ip', '1'],
  ['--max-rate', '1'],
  ['--max-rate-per-ip', '1'],
  ['--allow', '192.0.2.1'],
  ['--deny', '192.0.2.1'],
];
const WITH_WAIT = [
  ['--max-starts', '1'],
  ['--pause', '1'],
  ['--listen', 'udp://127.0.0.1:0'],
];

describe('the command line of exec', () => {
  test.each([[[]], [['--wait']]])('%j: only root may have PROGRAM run as another user', (wait) => {
    const users = [
      vi.spyOn(process, 'geteuid').mockReturnValue(1_001),
      vi.spyOn(process, 'getegid').mockReturnValue(100),
    ];
    try {
      expect(parse([...wait, '--run-as', 'daemon'])).toMatchObject({
        ok: false,
        error: expect.stringContaining('--run-as: only root may run workers as another user') as string,
      });
    } finally {
      for (const user of users) user.mockRestore();
    }
  });

  test.each([...OF_BOTH, ...WITHOUT_WAIT])('takes %s %s for a process for each connection', (...option) => {
    expect(parse(option)).toMatchObject({ ok: true, value: { type: 'serve' } });
  });

  test.each([...OF_BOTH, ...WITH_WAIT])('takes %s %s with --wait', (...option) => {
    expect(parse([...option, '--wait'])).toMatchObject({ ok: true, value: { type: 'serve' } });
  });

  test.each(WITHOUT_WAIT)('refuses %s with --wait, and says why', (name) => {
    expect(parse(['--wait', name, '1'])).toEqual({
      ok: false,
      error: `${name} is not for exec --wait: PROGRAM accepts by itself, no connection is seen here`,
    });
  });

  test.each(['--max-starts', '--pause'])('refuses %s without --wait, and says so', (name) => {
    expect(parse([name, '1'])).toEqual({
      ok: false,
      error: `${name} goes with --wait: a process for each connection is limited by --max-connections`,
    });
  });

  test('refuses by name, not as unknown, whatever else other servers take', () => {
    const taken = new Set([...OF_BOTH, ...WITHOUT_WAIT, ['--listen']].map(([name]) => name));
    const others = COMMON_OPTIONS.map(({ name }) => `--${name}`).filter((name) => !taken.has(name));
    expect(others).toContain('--workers');
    for (const name of others)
      expect(parse([name, '1'])).toMatchObject({
        ok: false,
        error: expect.stringContaining(`${name} is not for exec: `) as string,
      });
  });
});

test.each([
  [['--tls-cert', 'x.pem'], '--tls-cert was given without --tls-key'],
  [['--tls-key', 'x.pem'], '--tls-key was given without --tls-cert'],
  [['--tls-cert', 'x.pem', '--tls-key', 'x.pem'], '--tls-cert is of no use without --listen tls://HOST:PORT'],
  [['--listen', 'tls://127.0.0.1:0'], '--listen tls://… needs --tls-cert and --tls-key'],
])('a server that speaks TLS refuses %j: %s', (argv, error) => {
  expect(parseServerArguments(argv, { options: [], schemes: ['tcp', 'tls'] })).toEqual({ ok: false, error });
});

describe('--listen', () => {
  const listen = (...texts: readonly string[]) =>
    parseExecArguments([...texts.flatMap((text) => ['--listen', text]), '--', 'cat']);

  test.each([
    ['tcp://127.0.0.1:8080', 'tcp://127.0.0.1:8080', ''],
    ['tcp://127.0.0.1:http', 'tcp://127.0.0.1:80', ` as 'tcp://127.0.0.1:http'`],
    ['unix:/run/a', 'unix:/run/a', ''],
    ['fd://5', 'fd://5', ''],
  ])('that names one endpoint twice (%s, %s) is a mistake of the command line', (first, second, as) => {
    expect(listen(first, second)).toEqual({
      ok: false,
      error: `--listen '${second}' was given before${as}: each endpoint goes once`,
    });
  });

  test.each([
    ['tcp://127.0.0.1:0', 'tcp://127.0.0.1:0'],
    ['tcp://127.0.0.1:8080', 'tcp://127.0.0.1:8081'],
    ['unix:/run/a', 'unix:@/run/a'],
  ])('takes %s and %s, which are two', (first, second) => {
    expect(listen(first, second)).toMatchObject({ ok: true });
  });
});

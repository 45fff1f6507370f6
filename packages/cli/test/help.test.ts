// What --help lists is what a command takes, no more and no less: every option of every command is tried on every
// command.

import { describe, expect, test } from 'vitest';
import { COMMON_OPTIONS, parseServerArguments } from '@wellknown/core/cli';
import { runHere } from '../../../test/command-line.ts';
import { COMMAND_NAMES, COMMANDS as TABLE } from '../src/commands.ts';
import { TOPIC_NAMES } from '../src/topics.ts';
import { SERVER_COMMANDS } from '../src/server-commands.ts';
import { UP_COMMAND } from '../src/up.ts';
import { run } from '../src/run.ts';

const told = (...argv: readonly string[]) => runHere(() => run(argv));

/** `exec` is two commands in one: each has its own options and those of both. */
const COMMANDS: readonly { readonly argv: readonly string[]; readonly notIts?: string }[] = [
  ...COMMAND_NAMES.filter((name) => name !== 'exec').map((name) => ({ argv: [name] })),
  { argv: ['exec'], notIts: 'Options with --wait' },
  { argv: ['exec', '--wait'], notIts: 'Options without --wait' },
];

const optionsIn = (help: string, notIts?: string): string[] =>
  help
    .split('\n\n')
    .filter((part) => notIts === undefined || !part.startsWith(`${notIts}:`))
    .flatMap((part) => [...part.matchAll(/^ {2}--([a-z0-9-]+)/gm)].map(([, name = '']) => name));

/** It goes on to the help that is asked for behind the option, with a value or without. */
async function takes(argv: readonly string[], name: string): Promise<boolean> {
  const answers = [await told(...argv, `--${name}`, '--help'), await told(...argv, `--${name}=x`, '--help')];
  return answers.some(({ stdout }) =>
    name === 'version' ? /^wellknown \S+ \d/.test(stdout) : stdout.startsWith('usage: '),
  );
}

describe.each(COMMANDS)('$argv', ({ argv, notIts }) => {
  test('takes every option of its --help, and none that is not there', async () => {
    const every = new Set(['no-such-option', 'config', ...COMMON_OPTIONS.map(({ name }) => name)]);
    for (const other of COMMANDS)
      for (const name of optionsIn((await told(...other.argv, '--help', 'all')).stdout)) every.add(name);
    const listed = optionsIn((await told(...argv, '--help', 'all')).stdout, notIts);
    // A switch that is part of the command would be given twice.
    const tried = [...every].filter((name) => !argv.includes(`--${name}`));
    const taken: string[] = [];
    for (const name of tried) if (await takes(argv, name)) taken.push(name);
    expect(taken.sort()).toEqual(listed.filter((name) => tried.includes(name)).sort());
    expect(listed).toEqual(expect.arrayContaining(['help', 'version']));
    expect(new Set(listed).size).toBe(listed.length);
  });

  test('takes an argument if and only if its usage line has one', async () => {
    const usage = /^usage: (.*)$/m.exec((await told(...argv, '--help')).stdout)?.[1] ?? '';
    const { stdout } = await told(...argv, 'argument', '--help');
    expect(stdout.startsWith('usage: ')).toBe(/\[options\] (?!--)\S/.test(usage));
  });
});

test.each(SERVER_COMMANDS)('$name names the kinds of endpoints that it listens on, and no others', async (command) => {
  const row = /^ {2}--listen .*(?:\n {26}.*)*$/m.exec((await told(command.name, '--help')).stdout)?.[0] ?? '';
  for (const [scheme, endpoint] of [
    ['tcp', 'tcp://127.0.0.1:0'],
    ['udp', 'udp://127.0.0.1:0'],
    ['unix', 'unix:x'],
  ] as const) {
    expect(row.includes(`${scheme}:`), row).toBe(parseServerArguments(['--listen', endpoint], command).ok);
  }
  expect(row.includes('tls:'), row).toBe(
    parseServerArguments(['--listen', 'tls://127.0.0.1:0', '--tls-cert', 'c', '--tls-key', 'k'], command).ok,
  );
});

describe('an option that --help lists is good for something', () => {
  // What must be given along is given along.
  const SAMPLES: Readonly<Record<string, readonly string[]>> = {
    'port-offset': ['8000'],
    workers: ['2'],
    accept: ['dispatch'],
    dispatch: ['source-hash', '--accept', 'dispatch'],
    'run-as': ['nobody'],
    'proxy-protocol': ['192.0.2.0/24'],
    allow: ['192.0.2.1'],
    deny: ['192.0.2.1'],
    'max-connections': ['1'],
    'max-connections-per-ip': ['1'],
    'max-rate': ['1'],
    'max-rate-per-ip': ['1'],
    limits: ['redis://127.0.0.1'],
    'idle-timeout': ['1'],
    'drain-timeout': ['1'],
    'max-served': ['1'],
    'max-age': ['1'],
    'heartbeat-timeout': ['2'],
    'late-beat': ['0.5'],
    'tcp-keep-alive': ['60'],
    spare: ['1-2', '--max-workers', '4'],
    'max-workers': ['4', '--spare', '1-2'],
    lifetime: ['1'],
    'handshake-timeout': ['1'],
    'proxy-timeout': ['1'],
    'write-timeout': ['1'],
    'min-rate': ['1'],
    backlog: ['1'],
    'max-unsent': ['1'],
    'unix-mode': ['0660'],
    admin: ['9900'],
    'admin-token-file': ['x', '--admin', '9900'],
    control: ['x'],
    'pid-file': ['x'],
    'log-level': ['info'],
    'log-format': ['json'],
    inetd: [],
  };

  test.each([{ name: 'up', ...UP_COMMAND }, ...SERVER_COMMANDS])(
    '$name: alone or with what it needs it is accepted',
    async (command) => {
      const scheme = command.schemes[0] ?? '';
      const samples = {
        ...SAMPLES,
        listen: [`${scheme}://127.0.0.1:0`],
        'tls-cert': ['c', '--tls-key', 'k', '--listen', 'tls://127.0.0.1:0'],
        'tls-client-ca': ['a', '--tls-cert', 'c', '--tls-key', 'k', '--listen', 'tls://127.0.0.1:0'],
        'tls-client-cert': [
          'require',
          '--tls-client-ca',
          'a',
          '--tls-cert',
          'c',
          '--tls-key',
          'k',
          '--listen',
          'tls://127.0.0.1:0',
        ],
        'tls-key': ['k', '--tls-cert', 'c', '--listen', 'tls://127.0.0.1:0'],
      };
      const common = optionsIn((await told(command.name, '--help', 'all')).stdout).filter((name) =>
        COMMON_OPTIONS.some((option) => option.name === name),
      );
      const problems = common.flatMap((name) => {
        const sample = Object.entries(samples).find(([known]) => known === name)?.[1];
        const parsed = sample === undefined ? undefined : parseServerArguments([`--${name}`, ...sample], command);
        return parsed?.ok === true ? [] : [`--${name}: ${parsed?.error ?? 'there is no sample of it'}`];
      });
      expect(problems).toEqual([]);
    },
  );
});

describe('a help', () => {
  test.each(COMMAND_NAMES)(
    'of %s has three examples that are taken, before the options, in 80 columns',
    async (name) => {
      const { stdout } = await told(name, '--help');
      const examples = [...stdout.matchAll(/^ {2}wellknown (.*)$/gm)].map(([, line = '']) => line);
      expect(examples).toHaveLength(3);
      expect(stdout.indexOf(`  wellknown ${name}`)).toBeLessThan(stdout.search(/^ {2}--/m));
      const [whole, ...others] = [stdout, (await told(name, '--help', 'all')).stdout];
      for (const text of [whole, ...others]) expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
      // A shell's part is not the program's; --help behind the options is reached when all before it are known.
      for (const example of examples) {
        const argv =
          example
            .replace(/ (?:>>?|\|) .*$/, '')
            .split(' -- ')[0]
            ?.split(' ')
            .filter((word) => word !== '') ?? [];
        expect((await told(...argv, '--help')).stdout, example).toMatch(/^usage: /);
      }
    },
  );

  test('hides what few need, says how much, and tells it with all', async () => {
    const short = optionsIn((await told('http', '--help')).stdout);
    const { stdout } = await told('http', '--help', 'all');
    expect(short).not.toContain('heartbeat-timeout');
    expect(optionsIn(stdout)).toContain('heartbeat-timeout');
    const hidden = optionsIn(stdout).length - short.length;
    expect((await told('http', '--help')).stdout).toContain(
      `\n${hidden} more options for special cases: wellknown http --help all\n`,
    );
    expect(await told('http', '--help=all')).toEqual(await told('help', 'http', 'all'));
    expect(await told('http', '-h')).toEqual(await told('help', 'http'));
  });

  test.each(TOPIC_NAMES)('about %s is there, in 80 columns', async (topic) => {
    const { status, stdout } = await told('help', topic);
    expect(status).toBe(0);
    expect(stdout.split('\n').length).toBeGreaterThan(4);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('of the program names every command and topic', async () => {
    const { stdout } = await told('help');
    for (const { name, summary } of TABLE)
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +${summary.slice(0, 20).replace(/[()]/g, '.')}`, 'm'));
    for (const topic of TOPIC_NAMES) expect(stdout).toContain(topic);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test.each([
    [['htp'], "meant may be 'http'"],
    [['help', 'signal'], "meant may be 'signals'"],
    [['http', '--lisen', 'tcp://:0'], 'unknown option --lisen, see --help; meant may be --listen'],
    [['http', '--symlinks', 'insid'], "; meant may be 'inside'"],
    [['up', '--log-level', 'inf'], "--log-level is 'inf', allowed is debug, info, warn, error; meant may be 'info'"],
  ])('is not needed for a misprint: %j', async (argv, words) => {
    const { status, stderr } = await told(...argv);
    expect(status).toBe(2);
    expect(stderr).toContain(words);
  });
});

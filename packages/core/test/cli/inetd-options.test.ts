import { describe, expect, test } from 'vitest';
import { COMMON_OPTIONS, parseServerArguments } from '../../src/cli/index.ts';
import { INETD_MEANING } from '../../src/cli/inetd-options.ts';

const COMMAND = {
  options: [{ name: 'also', argument: 'NAMES', help: '', withoutInetd: 'they listen' }],
  schemes: ['tcp', 'tls'],
} as const;

// What is given is never looked at where the option is refused.
const given = (name: string, value: string): readonly string[] =>
  COMMON_OPTIONS.find((spec) => spec.name === name)?.argument === undefined ? [`--${name}`] : [`--${name}`, value];
const parse = (...options: readonly string[]) => parseServerArguments(['--inetd', ...options], COMMAND);

const VALUES: Readonly<Record<string, string>> = {
  'run-as': 'nobody',
  allow: '192.0.2.0/24',
  deny: '192.0.2.1',
  'log-level': 'info',
  'log-format': 'json',
};
const names = Object.keys(INETD_MEANING);
const refused = names.filter((name) => name !== 'listen' && INETD_MEANING[name] !== 'taken');
const taken = names.filter((name) => name !== 'inetd' && INETD_MEANING[name] === 'taken');

describe('options of a program that serves its standard input', () => {
  test('of each common option it is decided whether it means something there', () => {
    expect([...names].sort()).toEqual(COMMON_OPTIONS.map(({ name }) => name).sort());
  });

  test.each(refused)('--%s is refused by name rather than passed over', (name) => {
    expect(parse(...given(name, '1'))).toMatchObject({
      ok: false,
      error: expect.stringMatching(new RegExp(`^--${name} goes without --inetd: `)) as string,
    });
  });

  test.each(taken)('--%s is taken', (name) => {
    expect(parse(...given(name, VALUES[name] ?? '1'))).toMatchObject({ ok: true });
  });

  test("a command's own option that needs listeners is refused with its reason", () => {
    expect(parse('--also', 'time')).toEqual({ ok: false, error: '--also goes without --inetd: they listen' });
  });
});

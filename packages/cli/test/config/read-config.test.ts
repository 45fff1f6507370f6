// From the value of a file to options, and every mistake in it.

import { fail, ok } from '@wellknown/core';
import { describe, expect, test } from 'vitest';
import { GLOBAL_KEYS, POSITIONAL, serviceKeys, type ConfigKey } from '../../src/config/config-keys.ts';
import { pathText } from '../../src/config/places.ts';
import { PROTOCOLS } from '../../src/config/protocols.ts';
import { readConfig, type ReadConfig } from '../../src/config/read-config.ts';

const SECRETS: Readonly<Record<string, string>> = { PW: 'hunter22', COLON: 'a:b' };

const read = (value: unknown): ReadConfig =>
  readConfig(value, {
    commands: PROTOCOLS,
    folder: '/etc/wellknown',
    readSecret: (ref) => {
      const secret = SECRETS['env' in ref ? ref.env : ref.file];
      return secret === undefined ? fail('there is no such secret') : ok(secret);
    },
  });

const problemsOf = (value: unknown): string[] =>
  read(value).problems.map(({ path, message }) => `${pathText(path)}: ${message}`);

const optionsOfFtp = (options: object): unknown =>
  read({ services: { files: { protocol: 'ftp', ...options } } }).services[0]?.options;

/** A value that fits the kind of the key. */
const valueFor = ({ kind, isList }: ConfigKey): unknown =>
  kind === 'switch' ? true : kind === 'number' ? 5 : isList ? ['x', 'y'] : 'x';

describe.each(PROTOCOLS)('a service of $name', (command) => {
  test.each(serviceKeys(command))('takes $key', (key) => {
    const { problems, services } = read({ services: { one: { protocol: command.name, [key.key]: valueFor(key) } } });
    expect(problems).toEqual([]);
    expect(Object.keys(services[0]?.options ?? {})).toEqual([key.option]);
  });
});

test.each(GLOBAL_KEYS)('beside the services there is $key', (key) => {
  const { problems, program } = read({ services: { echo: {} }, [key.key]: valueFor(key) });
  expect(problems).toEqual([]);
  expect(Object.keys(program)).toEqual([key.option]);
});

test('the name of a service is its protocol where it says none', () => {
  expect(read({ services: { http: {} } }).services).toMatchObject([{ name: 'http', protocol: 'http' }]);
});

test('a switch that is off, and an empty list, are as if they were left out', () => {
  expect(optionsOfFtp({ write: false, rights: [] })).toEqual({});
});

test('paths are relative to the folder of the file, but for -', () => {
  expect(optionsOfFtp({ root: 'pub', users: '/srv/users', accessLog: '-' })).toEqual({
    [POSITIONAL]: ['/etc/wellknown/pub'],
    users: ['/srv/users'],
    'access-log': ['-'],
  });
});

test('a secret stands in place of any text, and of a part of one', () => {
  const { services, hidden, problems } = read({
    services: {
      files: {
        protocol: 'ftp',
        greeting: { env: 'PW' },
        account: ['ann:open', { name: 'bob', password: { env: 'PW' }, home: '/bob' }],
      },
    },
  });
  expect(problems).toEqual([]);
  expect(services[0]?.options).toEqual({ greeting: ['hunter22'], account: ['ann:open', 'bob:hunter22:/bob'] });
  expect([...hidden]).toEqual(expect.arrayContaining(['hunter22', 'ann:open', 'bob:hunter22:/bob']));
});

test.each([
  ['nothing', undefined, [": the configuration is empty, allowed is an object with 'services'"]],
  ['a list', [], [": the configuration is a list, allowed is an object with 'services'"]],
  ['no services', {}, [": 'services' is missing: { NAME: { protocol: 'http', … } }"]],
  ['empty services', { services: {} }, ['services: services is empty, at least one is needed']],
  [
    'a service that is none',
    { services: { a: 1 } },
    ["services.a: the service is 1, allowed is an object with 'protocol'"],
  ],
  [
    'a protocol that is none',
    { services: { a: { protocol: 'hTtps' } } },
    ["services.a.protocol: protocol is 'hTtps', allowed is http, ftp, telnet, echo, exec; meant may be 'http'"],
  ],
  [
    'a name that is none',
    { services: { 'a b': { protocol: 'echo' } } },
    ['services["a b"]: \'a b\' is no name of a service: allowed are up to 63 letters, digits and . _ -'],
  ],
  [
    'the name of the option',
    { services: { a: { protocol: 'echo', 'max-datagram': 1 } } },
    ["services.a[\"max-datagram\"]: the key 'max-datagram' is unknown; meant may be 'maxDatagram'"],
  ],
  [
    'a key of the program',
    { services: { a: { protocol: 'echo', workers: 1 } } },
    [
      "services.a.workers: the key 'workers' is unknown; it is not for this service: what is for the whole program stands beside 'services'",
    ],
  ],
  [
    'wrong kinds',
    { services: { f: { protocol: 'ftp', write: 'yes', uploads: 3, maxRate: true, listen: [null], greeting: ['a'] } } },
    [
      "services.f.write: write is 'yes', allowed is true or false",
      "services.f.uploads: uploads is 3, allowed is a text (WHERE); a secret is { env: 'NAME' } or { file: 'PATH' }",
      "services.f.maxRate: maxRate is true, allowed is a number or a text (N); a secret is { env: 'NAME' } or { file: 'PATH' }",
      "services.f.listen[0]: listen is empty, allowed is a number or a text (ENDPOINT), or a list of these; a secret is { env: 'NAME' } or { file: 'PATH' }",
      'services.f.greeting: greeting is a list, allowed is one value',
    ],
  ],
  [
    'secrets that are not there',
    { services: { f: { protocol: 'ftp', greeting: { env: 'NO' }, account: { name: 'a', password: { file: 'no' } } } } },
    [
      'services.f.greeting: greeting: there is no such secret',
      'services.f.account.password: account.password: there is no such secret',
    ],
  ],
  [
    'parts that are wrong',
    { services: { f: { protocol: 'ftp', account: [{ nam: 'a', password: { env: 'COLON' } }] } } },
    [
      "services.f.account[0].nam: account has no 'nam', it has name, password, home; meant may be 'name'",
      "services.f.account[0]: account needs 'name'",
      "services.f.account[0].password: password holds a colon, which can't be in it",
    ],
  ],
])('%s is told, all at once', (_, value, problems) => {
  expect(problemsOf(value)).toEqual(problems);
});

test('what a file sets is never inherited from an object', () => {
  expect(problemsOf(JSON.parse('{"services": {"a": {"protocol": "echo", "__proto__": 1}}}'))).toEqual([
    expect.stringContaining("services.a.__proto__: the key '__proto__' is unknown"),
  ]);
  expect(problemsOf({ services: { a: { protocol: 'toString' } } })).toEqual([
    expect.stringContaining("protocol is 'toString'"),
  ]);
});

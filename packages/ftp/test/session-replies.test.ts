// What single commands are answered, and what they leave behind: the code, the words that clients read, the next state.

import { describe, expect, test } from 'vitest';
import type { Entry } from '../src/file-system.ts';
import { initialState, type SessionState } from '../src/session-state.ts';
import type { Outcome } from '../src/effects.ts';
import { codeOf, effectOf, ready, say } from './deciding.ts';

const greeted: SessionState = { ...initialState('clear'), failedLogins: 2, unknownCommands: 3 };
const failures = ({ state }: Outcome): unknown => (state.at === 'ready' ? undefined : [state.at, state.failedLogins]);
const words = ({ reply }: Outcome): string => reply?.lines.join('\n') ?? '';

describe('failed logins', () => {
  test('are forgotten neither by USER nor by REIN, only by a login', () => {
    expect(failures(say(greeted, 'USER ann'))).toEqual(['named', 2]);
    expect(failures(say(greeted, 'REIN'))).toEqual(['greeted', 2]);
    expect(failures(say(ready(false), 'USER ann'))).toEqual(['named', 0]);
    expect(failures(say(ready(false), 'REIN'))).toEqual(['greeted', 0]);
  });

  test.each([
    [0, 1_000, 530],
    [1, 2_000, 530],
    [2, 4_000, 421],
  ])('behind %i others wait %i ms, and then hear %i', (failedLogins, delayMs, code) => {
    const named = say({ ...greeted, failedLogins }, 'USER ann').state;
    const failed = effectOf(say(named, 'PASS x'), 'authenticate').resume(undefined);
    const delay = effectOf(failed, 'delay');
    expect(delay.delayMs).toBe(delayMs);
    expect(codeOf(delay.resume())).toBe(code);
  });
});

test('a login begins with every parameter at its default', () => {
  const { login } = ready(true);
  const named = say(initialState('clear'), 'USER ann').state;
  const { state } = effectOf(say(named, 'PASS x'), 'authenticate').resume(login);
  expect(state).toEqual({ ...ready(true), login, type: 'ascii' });
});

test.each([
  ['SYST', 215],
  ['TYPE AN', 504],
  ['TYPE A N', 200],
  ['EPSV 7x', 501],
  ['ALLO 100', 200],
  ['ALLO x100', 501],
  ['ALLO 100R 10', 501],
  ['ALLO 1234567890123456', 501],
  ['OPTS MLST size;', 200],
  ['OPTS HASH', 200],
  ['SITE CHMOD 00644 x', 501],
  ['SITE CHMOD 1000 x', 501],
  ['SITE CHMOD 644', 501],
  ['SITE UMASK', 200],
  ['SITE UMASK 022', 200],
  ['SITE UTIME 20260101000000', 501],
  ['SITE UTIME x 20260101000000 20260101000000 20260101000000 UTC+', 501],
  ['HASH a\0b', 501],
])('%s is answered %i', (line, code) => {
  expect(codeOf(say(ready(true), line))).toBe(code);
});

test.each(['OPTS MLST size;', 'OPTS HASH', 'OPTS HASH MD5'])('%s needs a login', (line) => {
  expect(codeOf(say(initialState('clear'), line))).toBe(530);
});

test.each(['PBSZ x0', 'PBSZ 12345678901'])('%s is no size of a buffer', (line) => {
  expect(codeOf(say(initialState('secure'), line))).toBe(501);
});

test('PROT in clear hears that AUTH comes first, and nothing of PBSZ', () => {
  expect(words(say(ready(true), 'PROT P'))).toContain('AUTH TLS');
});

test('522 names the protocol of the control connection', () => {
  const address = { address: '2001:db8::1', port: 21 };
  const ipv6 = { local: { family: 'ipv6', ...address }, remote: { family: 'ipv6', ...address } } as const;
  expect(words(say(ready(true), 'EPRT |2|::1|2000|'))).toBe('Network protocol not supported, use (1)');
  expect(words(say(ready(true), 'EPRT |1|192.0.2.9|2000|', ipv6))).toBe('Network protocol not supported, use (2)');
});

describe('STAT', () => {
  test('tells who is connected, and what they may do', () => {
    expect(words(say(ready(false), 'STAT'))).toContain('Connected from 192.0.2.9\nLogged in as ann (read only)\n');
    expect(words(say(ready(true), 'STAT'))).toContain('Logged in as ann\n');
    const local = { remote: { family: 'unix', path: '/x' } } as const;
    expect(words(say(ready(true), 'STAT', local))).toContain('Connected from a local socket\n');
  });
});

describe('a transfer', () => {
  const passive = { data: { how: 'passive' } } as const;

  test.each([
    ['RETR', 'image', 12, '150 Opening BINARY mode data connection for x (12 bytes).'],
    ['RETR', 'ascii', 12, '150 Opening ASCII mode data connection for x (12 bytes).'],
    ['STOR', 'image', undefined, '150 Opening BINARY mode data connection for x.'],
    ['NLST', 'image', undefined, '150 Opening data connection for the listing.'],
  ] as const)('by %s in TYPE %s of %s bytes begins with the words %s', (verb, type, bytes, expected) => {
    const { opening } = effectOf(say(ready(true, { ...passive, type }), `${verb} x`), 'transfer');
    const { code, lines } = opening(bytes);
    expect(`${code} ${lines.join('\n')}`).toBe(expected);
  });

  test('MLSD of what is no directory is 501, as its argument is wrong; in the middle it is 550, and LIST’s is', () => {
    const closing = (line: string) => effectOf(say(ready(true, passive), line), 'transfer').closing;
    const problem = 'not-directory';
    expect(closing('MLSD x')({ at: 'refused', problem }).code).toBe(501);
    expect(closing('MLSD x')({ at: 'failed', problem }).code).toBe(550);
    expect(closing('MLSD x')({ at: 'refused', problem: 'denied' }).code).toBe(550);
    expect(closing('LIST x')({ at: 'refused', problem }).code).toBe(550);
  });

  test('a position from before TYPE A, and none, are forgotten by a listing', () => {
    const outcome = say(ready(true, { ...passive, type: 'ascii', restartBytes: 5 }), 'LIST');
    expect([outcome.effect?.type, outcome.state]).toMatchObject(['transfer', { restartBytes: 0 }]);
  });
});

describe('a question about a file', () => {
  const entry: Entry = { name: 'x', type: 'file', sizeBytes: 7, mtimeMs: Date.UTC(2026, 0, 2, 3, 4, 5) };

  test.each([
    ['SIZE x', '213 7'],
    ['MDTM x', '213 20260102030405'],
  ])('%s is answered %s, 550 where nothing is', (line, expected) => {
    const { resume } = effectOf(say(ready(false), line), 'stat');
    const { reply } = resume({ ok: true, value: entry });
    expect(`${reply?.code} ${words({ state: ready(false), ...(reply !== undefined && { reply }) })}`).toBe(expected);
    expect(codeOf(resume({ ok: false, error: 'not-found' }))).toBe(550);
    expect(codeOf(resume({ ok: true, value: { ...entry, type: 'directory' } }))).toBe(550);
  });
});

describe('a change', () => {
  test.each([
    ['MFMT 20260102030405 a b', { change: 'setTimes', path: '/a b' }, 213],
    ['SITE CHMOD 0777 a b', { change: 'setMode', path: '/a b', mode: 0o777 }, 200],
    ['SITE CHMOD 000 x', { change: 'setMode', mode: 0 }, 200],
    ['SITE UTIME 202601020304 x', { times: { mtimeMs: Date.UTC(2026, 0, 2, 3, 4) } }, 200],
    [
      'SITE UTIME a b 20260101000000 20260102000000 20260103000000 UTC',
      { path: '/a b', times: { atimeMs: Date.UTC(2026, 0, 1), mtimeMs: Date.UTC(2026, 0, 2) } },
      200,
    ],
  ])('by %s is answered when it is done, or why it is not', (line, change, code) => {
    const effect = effectOf(say(ready(true), line), 'change');
    expect(effect.change).toMatchObject(change);
    expect(codeOf(effect.resume({ ok: true, value: undefined }))).toBe(code);
    expect(codeOf(effect.resume({ ok: false, error: 'denied' }))).toBe(550);
  });

  test('of times leaves the one that was not named', () => {
    const { change } = effectOf(say(ready(true), 'SITE UTIME 202601020304 x'), 'change');
    expect(change).not.toHaveProperty('times.atimeMs');
  });
});

test.each([
  ['a b', { path: '/a b', startBytes: 0, endBytes: undefined }],
  ['"a b"', { path: '/a b', startBytes: 0, endBytes: undefined }],
  ['"a""b" 5', { path: '/a"b', startBytes: 5, endBytes: undefined }],
  ['"a" 5 10', { path: '/a', startBytes: 5, endBytes: 10 }],
  ['"a"5', { path: '/"a"5' }],
  ['x"a" 5', { path: '/x"a" 5' }],
  ['""', { path: '/', startBytes: 0 }],
  ['"a" 1234567890123456', { path: '/"a" 1234567890123456' }],
  ['"a" 5 1234567890123456', { path: '/"a" 5 1234567890123456' }],
])('XCRC %s counts the part %j', (argument, part) => {
  expect(effectOf(say(ready(true), `XCRC ${argument}`), 'hash')).toMatchObject(part);
});

test.each([
  [0, 'SHA-256 0-0 ff x'],
  [1, 'SHA-256 0-0 ff x'],
  [50, 'SHA-256 0-49 ff x'],
])('HASH of %i bytes names the last one', (endBytes, expected) => {
  const { resume } = effectOf(say(ready(true), 'HASH x'), 'hash');
  expect(words(resume({ ok: true, value: { hash: 'ff', startBytes: 0, endBytes } }))).toBe(expected);
});

test.each([
  ['x', 'x FF'],
  ['a "b', '"a ""b" FF'],
])('MD5 %s says its name first, in quotes where it has spaces', (name, expected) => {
  const { resume } = effectOf(say(ready(true), `MD5 ${name}`), 'hash');
  expect(words(resume({ ok: true, value: { hash: 'ff', startBytes: 0, endBytes: 1 } }))).toBe(expected);
});

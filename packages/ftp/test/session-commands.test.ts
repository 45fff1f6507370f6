import { describe, expect, test } from 'vitest';
import { reply } from '../src/replies.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { initialState, type SessionState } from '../src/session-state.ts';
import { openLogin } from '../src/users/login.ts';
import { codeOf, effectOf, ready, say, session } from './deciding.ts';

describe('security', () => {
  const clear = initialState('clear');
  const secured = (argument = 'TLS'): SessionState =>
    effectOf(say(ready(true), `AUTH ${argument}`), 'startTls').resume(undefined).state;

  test('AUTH leads to a handshake, and whoever was logged in is not any more', () => {
    const outcome = say(ready(true), 'AUTH tls');
    expect(codeOf(outcome)).toBe(234);
    expect(secured()).toMatchObject({
      at: 'greeted',
      protection: { control: 'private', hasBufferSize: false, data: 'clear' },
    });
    expect(codeOf(say(secured(), 'PWD'))).toBe(530);
  });

  test.each([
    ['TLS', 'clear'],
    ['TLS-C', 'clear'],
    ['SSL', 'private'],
    ['TLS-P', 'private'],
  ])('after AUTH %s data connections are %s until PROT', (mechanism, data) => {
    expect(secured(mechanism)).toMatchObject({ protection: { data } });
  });

  test('failed logins are not forgotten by AUTH', () => {
    expect(effectOf(say({ ...clear, failedLogins: 2 }, 'AUTH TLS'), 'startTls').resume(undefined).state).toMatchObject({
      failedLogins: 2,
    });
  });

  test.each([
    ['AUTH KERBEROS_V4', 504],
    ['AUTH constructor', 504],
    ['AUTH', 501],
    ['PBSZ 0', 503],
    ['PROT P', 503],
    ['CCC', 502],
  ])('%s in clear is answered %i', (line, code) => {
    expect(codeOf(say(clear, line))).toBe(code);
  });

  test.each([
    ['AUTH TLS', 503],
    ['PBSZ 16384', 200],
    ['PBSZ x', 501],
    ['PROT P', 503],
  ])('%s over TLS is answered %i', (line, code) => {
    expect(codeOf(say(secured(), line))).toBe(code);
  });

  test.each([
    ['PROT P', 200, 'private'],
    ['PROT C', 200, 'clear'],
    ['PROT S', 536, 'clear'],
    ['PROT E', 536, 'clear'],
    ['PROT X', 504, 'clear'],
  ])('%s after PBSZ, also before a login, is answered %i', (line, code, data) => {
    const outcome = say(say(secured(), 'PBSZ 0').state, line);
    expect(codeOf(outcome)).toBe(code);
    expect(outcome.state.protection.data).toBe(data);
  });

  test('the level outlives USER, and REIN takes PBSZ back but not TLS', () => {
    const set = say(say(secured(), 'PBSZ 0').state, 'PROT P').state;
    expect(say(set, 'USER ann').state.protection).toEqual({ control: 'private', hasBufferSize: true, data: 'private' });
    expect(say({ ...ready(true), protection: set.protection }, 'REIN').state).toMatchObject({
      at: 'greeted',
      protection: { control: 'private', hasBufferSize: false },
    });
  });

  test('a connection that began with a handshake takes it for granted that data is private', () => {
    expect(initialState('secure').protection).toMatchObject({ control: 'private', data: 'private' });
  });

  test('where logins must be private nobody logs in in clear', () => {
    for (const requireTls of ['control', 'data'] as const) {
      expect(codeOf(say(clear, 'USER ann', { requireTls }))).toBe(530);
      expect(codeOf(say(secured(), 'USER ann', { requireTls }))).toBe(331);
    }
  });

  test('where data must be private no transfer goes in clear, and PROT C is refused', () => {
    const state = ready(true, {
      data: { how: 'passive' },
      protection: { control: 'private', hasBufferSize: true, data: 'clear', host: undefined },
    });
    for (const line of ['RETR x', 'STOR x', 'APPE x', 'STOU', 'LIST', 'NLST', 'MLSD'])
      expect(codeOf(say(state, line, { requireTls: 'data' })), line).toBe(521);
    expect(say(state, 'RETR x', { requireTls: 'control' }).effect).toMatchObject({ protection: 'clear' });
    expect(codeOf(say(state, 'PROT C', { requireTls: 'data' }))).toBe(534);
    const changed = say(state, 'PROT P', { requireTls: 'data' });
    expect(say(changed.state, 'RETR x', { requireTls: 'data' }).effect).toMatchObject({ protection: 'private' });
  });
});

test('CWD asks whether the directory may be entered, and stays where it is otherwise', () => {
  const { effect } = say(ready(false), 'CWD shut');
  expect(effect).toMatchObject({ type: 'stat', path: '/shut', toEnter: true });
  const refused = effectOf(say(ready(false), 'CWD shut'), 'stat').resume({ ok: false, error: 'denied' });
  expect([codeOf(refused), refused.state]).toEqual([550, ready(false)]);
});

describe('RNTO', () => {
  const renaming = ready(true, { renameFrom: '/a' });

  test('belongs to the RNFR directly before it', () => {
    expect(say(renaming, 'RNTO b').effect).toMatchObject({ change: { change: 'rename', from: '/a', to: '/b' } });
    for (const line of ['NOOP', 'PWD', 'STAT', 'TYPE I', 'WHAT', 'RNTO', 'SIZE x'])
      expect(codeOf(say(say(renaming, line).state, 'RNTO b')), line).toBe(503);
  });

  test('after an RNFR that was refused is 503', () => {
    const outcome = effectOf(say(renaming, 'RNFR gone'), 'stat').resume({ ok: false, error: 'not-found' });
    expect(codeOf(outcome)).toBe(550);
    expect(codeOf(say(outcome.state, 'RNTO b'))).toBe(503);
  });

  test('is not waited for where what RNFR names may not be renamed, which only a user who sees it learns', () => {
    const login = openLogin(
      { rights: { '/': 'create-only', '/kept/rule': 'full', '/box': 'full', '/hidden': 'none' } },
      { user: 'ann', remote: session.remote, secure: false },
      memoryFileSystem(),
    );
    const found = { ok: true, value: { name: 'x', type: 'file', sizeBytes: 1, mtimeMs: 0 } } as const;
    const told = (path: string) => effectOf(say(ready(true, { login }), `RNFR ${path}`), 'stat');
    for (const path of ['/a', '/kept', '/box', '/']) expect(codeOf(told(path).resume(found)), path).toBe(550);
    expect(codeOf(told('/box/a').resume(found))).toBe(350);
    const missing = { ok: false, error: 'not-found' } as const;
    expect(told('/a').resume(missing).reply).toEqual(told('/hidden').resume(missing).reply);
    expect(told('/a').resume(missing).reply).not.toEqual(told('/a').resume(found).reply);
  });
});

test.each([
  ['STOU', 'upload.abc'],
  ['STOU a', 'a.abc'],
  ['STOU d/a', 'd/a.abc'],
  ['STOU d/', 'd/upload.abc'],
])('%s tells the path by which RETR finds the file, %s', (line, path) => {
  const effect = effectOf(say(ready(true, { data: { how: 'passive' } }), line), 'transfer');
  expect(effect.plan).toMatchObject({ path: `/${path}` });
  expect(effect.opening(undefined)).toEqual(reply(150, `FILE: ${path}`));
});

describe('TYPE A', () => {
  const state = ready(true, { type: 'ascii', data: { how: 'passive' } });

  test.each(['RETR x', 'STOR x', 'APPE x', 'STOU'])('%s converts, ignores or refuses, as the option says', (line) => {
    expect(say(state, line).effect).toMatchObject({ plan: { ascii: true } });
    expect(say(state, line, { ascii: 'ignore' }).effect).toMatchObject({ plan: { ascii: false } });
    expect(codeOf(say(state, line, { ascii: 'refuse' }))).toBe(550);
  });

  test('is no obstacle for listings', () => {
    for (const line of ['LIST', 'NLST', 'MLSD'])
      expect(say(state, line, { ascii: 'refuse' }).effect?.type, line).toBe('transfer');
  });

  test('has positions and sizes only where nothing is converted', () => {
    expect(codeOf(say(state, 'REST 5'))).toBe(554);
    expect(codeOf(say(state, 'REST 5', { ascii: 'ignore' }))).toBe(350);
    expect(codeOf(say(state, 'SIZE x'))).toBe(550);
    expect(say(state, 'SIZE x', { ascii: 'ignore' }).effect?.type).toBe('stat');
  });
});

describe('HOST', () => {
  test.each([
    ['holds behind the handshake', undefined, 'ftp.example'],
    ['gives way to what the handshake has named', 'OTHER.example', 'other.example'],
    ['stays where the handshake has named none of our hosts', 'localhost', 'ftp.example'],
  ])('before AUTH %s', (_, serverName, host) => {
    const hosts = ['ftp.example', 'other.example'];
    const named = say(initialState('clear'), 'HOST ftp.example', { hosts }).state;
    const secured = effectOf(say(named, 'AUTH TLS', { hosts }), 'startTls').resume(serverName).state;
    const state = say(secured, 'USER ann', { hosts }).state;
    expect(effectOf(say(state, 'PASS x', { hosts }), 'authenticate').host).toBe(host);
  });

  test('that was not said is what the handshake has named', () => {
    const { state } = effectOf(say(initialState('clear'), 'AUTH TLS'), 'startTls').resume('FTP.example');
    expect(state.host).toBe('ftp.example');
  });

  test('that is another than the handshake has named is 504', () => {
    const { state } = effectOf(say(initialState('clear'), 'AUTH TLS'), 'startTls').resume('a.example');
    const other = say(state, 'HOST b.example');
    expect([other.reply?.code, other.state.host]).toEqual([504, 'a.example']);
  });

  test('is forgotten by REIN, what the handshake has named is not', () => {
    const { state } = effectOf(say(initialState('clear'), 'AUTH TLS'), 'startTls').resume('a.example');
    const named = say(state, 'HOST A.example').state;
    expect([named.host, say(named, 'REIN').state.host]).toEqual(['a.example', 'a.example']);
    expect(say(say(initialState('clear'), 'HOST b.example').state, 'REIN').state.host).toBeUndefined();
  });

  test('names the server before the login, is answered as a new connection, and reaches the authenticator', () => {
    const named = say(initialState('clear'), 'HOST FTP.Example');
    expect(named.reply).toEqual(session.greeting);
    const state = say(named.state, 'USER ann').state;
    expect(effectOf(say(state, 'PASS x'), 'authenticate').host).toBe('ftp.example');
  });

  test.each([
    ['HOST [2001:db8::1]', 220],
    ['HOST 192.0.2.1', 220],
    ['HOST a b', 501],
    ['HOST [x]', 501],
    ['HOST -a', 501],
  ])('%s is answered %i', (line, code) => {
    expect(codeOf(say(initialState('clear'), line))).toBe(code);
  });

  test('after the login comes too late, and unknown names are 504', () => {
    expect(codeOf(say(ready(true), 'HOST ftp.example'))).toBe(503);
    const hosts = ['ftp.example'];
    expect(codeOf(say(initialState('clear'), 'HOST other.example', { hosts }))).toBe(504);
    expect(codeOf(say(initialState('clear'), 'HOST ftp.example', { hosts }))).toBe(220);
  });
});

describe('what a file system can not do', () => {
  const { stat, list, read } = memoryFileSystem();
  const plain = { stat, list, read };
  const login = openLogin({ rights: 'full' }, { user: 'ann', remote: session.remote, secure: false }, plain);

  test('is answered 502, and stands neither in FEAT nor in HELP', () => {
    const state = ready(true, { login, data: { how: 'passive' } });
    for (const line of [
      'STOR x',
      'APPE x',
      'STOU',
      'DELE x',
      'MKD x',
      'RMD x',
      'RNFR x',
      'MFMT 20200101000000 x',
      'AVBL',
    ])
      expect(codeOf(say(state, line)), line).toBe(502);
    for (const line of ['SITE CHMOD 600 x', 'SITE UTIME 20200101000000 x', 'SITE UMASK'])
      expect(codeOf(say(state, line)), line).toBe(502);
    expect(say(state, 'FEAT').reply?.lines).not.toContain('MFMT');
    expect(say(state, 'HELP').reply?.lines.join(' ')).not.toMatch(/STOR|RNTO/);
    expect(say(state, 'RETR x').effect?.type).toBe('transfer');
  });

  test('of the server is known before the login', () => {
    expect(say(initialState('clear'), 'FEAT', { fileSystem: plain }).reply?.lines).not.toContain('MFMT');
    expect(say(initialState('clear'), 'FEAT').reply?.lines).toContain('MFMT');
  });
});

describe('checksums', () => {
  test.each([
    ['HASH a b', 'sha256', '/a b', 0, undefined],
    ['XCRC "a ""b"" c"', 'crc32', '/a "b" c', 0, undefined],
    ['XCRC "a" 5', 'crc32', '/a', 5, undefined],
    ['XMD5 "a" 5 7', 'md5', '/a', 5, 7],
    ['XSHA a', 'sha1', '/a', 0, undefined],
    ['XSHA1 a 5', 'sha1', '/a 5', 0, undefined],
    ['XSHA256 a', 'sha256', '/a', 0, undefined],
    ['XSHA512 a', 'sha512', '/a', 0, undefined],
    ['MD5 a', 'md5', '/a', 0, undefined],
  ])('%s asks for %s of %s', (line, algorithm, path, startBytes, endBytes) => {
    expect(say(ready(true), line).effect).toMatchObject({ type: 'hash', algorithm, path, startBytes, endBytes });
  });

  test('are told in the form of each command', () => {
    const counted = { ok: true, value: { hash: 'abc', startBytes: 0, endBytes: 50 } } as const;
    const told = (line: string): unknown => effectOf(say(ready(true), line), 'hash').resume(counted).reply;
    expect(told('HASH x y')).toEqual(reply(213, 'SHA-256 0-49 abc x y'));
    expect(told('XCRC x')).toEqual(reply(250, 'ABC'));
    expect(told('MD5 x y')).toEqual(reply(251, '"x y" ABC'));
  });

  test('OPTS HASH chooses, and FEAT shows what is chosen', () => {
    const outcome = say(ready(true), 'OPTS HASH sha-1');
    expect(codeOf(outcome)).toBe(200);
    expect(say(outcome.state, 'FEAT').reply?.lines).toContain('HASH SHA-256;SHA-512;SHA-1*;MD5;CRC32');
    expect(say(outcome.state, 'HASH x').effect).toMatchObject({ algorithm: 'sha1' });
    expect(codeOf(say(ready(true), 'OPTS HASH ROT13'))).toBe(504);
    expect(codeOf(say(ready(true), 'OPTS HASH constructor'))).toBe(504);
  });

  test('are not for anonymous users, nor where they are off', () => {
    const anonymous = openLogin(
      { anonymous: true },
      { user: 'anonymous', remote: session.remote, secure: false },
      memoryFileSystem(),
    );
    for (const line of ['HASH x', 'XCRC x', 'MD5 x']) {
      expect(codeOf(say(ready(true, { login: anonymous }), line)), line).toBe(502);
      expect(codeOf(say(ready(true), line, { checksums: false })), line).toBe(502);
    }
    expect(say(ready(true, { login: anonymous }), 'FEAT').reply?.lines.join()).not.toContain('HASH');
  });
});

describe('times and modes', () => {
  test.each([
    ['MFMT 20200102030405 a b', '/a b', { mtimeMs: Date.UTC(2020, 0, 2, 3, 4, 5) }],
    ['SITE UTIME 202001020304 a b', '/a b', { mtimeMs: Date.UTC(2020, 0, 2, 3, 4) }],
    ['SITE UTIME 20200102030405 a', '/a', { mtimeMs: Date.UTC(2020, 0, 2, 3, 4, 5) }],
    [
      'SITE UTIME a b 20210101000000 20200102030405 20200102030405 UTC',
      '/a b',
      { mtimeMs: Date.UTC(2020, 0, 2, 3, 4, 5), atimeMs: Date.UTC(2021, 0, 1) },
    ],
  ])('%s sets the times of %s', (line, path, times) => {
    expect(say(ready(true), line).effect).toMatchObject({ change: { change: 'setTimes', path, times } });
  });

  test('MDTM with a time sets it, where no file has the whole of that as its name', () => {
    const effect = effectOf(say(ready(true), 'MDTM 20200102030405 a'), 'stat');
    expect(effect.path).toBe('/20200102030405 a');
    const entry = { name: 'x', type: 'file', sizeBytes: 1, mtimeMs: 0 } as const;
    expect(effect.resume({ ok: true, value: entry }).reply).toEqual(reply(213, '19700101000000'));
    expect(effect.resume({ ok: false, error: 'not-found' }).effect).toMatchObject({
      change: { change: 'setTimes', path: '/a', times: { mtimeMs: Date.UTC(2020, 0, 2, 3, 4, 5) } },
    });
    const reading = effectOf(say(ready(false), 'MDTM 20200102030405 a'), 'stat');
    expect(codeOf(reading.resume({ ok: false, error: 'not-found' }))).toBe(550);
  });

  test('SITE UMASK tells and sets what uploads and new directories do not get', () => {
    expect(codeOf(say(ready(true), 'SITE UMASK'))).toBe(200);
    const { state } = say(ready(true, { data: { how: 'passive' } }), 'SITE UMASK 027');
    expect(say(state, 'STOR x').effect).toMatchObject({ plan: { options: { umask: 0o27 } } });
    expect(say(state, 'MKD x').effect).toMatchObject({ change: { umask: 0o27 } });
    expect(say(state, 'SITE UMASK').reply?.lines.join()).toContain('027');
    for (const mask of ['8', '0777777', '-1', '27']) expect(codeOf(say(state, `SITE UMASK ${mask}`)), mask).toBe(501);
  });

  test('ALLO is told to the next upload, and to no other', () => {
    const { state, reply: answer } = say(ready(true, { data: { how: 'passive' } }), 'ALLO 500 R 20');
    expect(answer?.code).toBe(200);
    const stored = say(state, 'STOR x');
    expect(stored.effect).toMatchObject({ plan: { options: { expectedBytes: 500 } } });
    expect(stored.state).toMatchObject({ expectedBytes: undefined });
    expect(codeOf(say(state, 'ALLO many'))).toBe(501);
  });

  test('AVBL tells the room below a directory', () => {
    const effect = effectOf(say(ready(true), 'AVBL'), 'space');
    expect(effect.resume({ ok: true, value: { freeBytes: 12.5 } }).reply).toEqual(reply(213, '12'));
    expect(codeOf(effect.resume({ ok: false, error: 'denied' }))).toBe(550);
  });
});

describe('a SITE command of the server’s own', () => {
  const siteCommands = {
    HELLO: { access: 'user', help: '<name>', run: ({ argument }: { argument: string }) => `Hello ${argument}.` },
    PURGE: { run: () => ({ code: 250, text: ['One', 'Two'] }) },
  } as const;

  test('is run, answered, and shown by SITE HELP', async () => {
    const effect = effectOf(say(ready(true), 'SITE hello ann b', { siteCommands }), 'ask');
    expect(effect.resume(await effect.ask()).reply).toEqual(reply(200, 'Hello ann b.'));
    expect(effect.resume(undefined).reply?.code).toBe(451);
    const purge = effectOf(say(ready(true), 'SITE PURGE', { siteCommands }), 'ask');
    expect(purge.resume(await purge.ask()).reply).toEqual(reply(250, 'One', 'Two'));
    expect(say(ready(true), 'SITE HELP', { siteCommands }).reply?.lines).toContain('HELLO <name>');
    expect(say(ready(true), 'SITE HELP hello', { siteCommands }).reply).toEqual(reply(214, 'SITE HELLO <name>'));
    expect(say(ready(true), 'HELP SITE PURGE', { siteCommands }).reply).toEqual(reply(214, 'SITE PURGE'));
  });

  test('is for those who may change files, unless it says otherwise', () => {
    expect(codeOf(say(ready(false), 'SITE PURGE', { siteCommands }))).toBe(550);
    expect(say(ready(false), 'SITE HELLO', { siteCommands }).effect?.type).toBe('ask');
    expect(codeOf(say(ready(true), 'SITE toString', { siteCommands }))).toBe(504);
  });
});

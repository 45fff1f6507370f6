import { describe, expect, test } from 'vitest';
import { commandRows } from '../src/commands/table.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import type { Effect, Outcome } from '../src/effects.ts';
import { step } from '../src/session.ts';
import { initialState, type Ready, type SessionContext, type SessionState } from '../src/session-state.ts';
import { openLogin } from '../src/users/login.ts';
import { ALL_FACTS } from '../src/listing/format.ts';

const session: SessionContext = {
  local: { family: 'ipv4', address: '192.0.2.1', port: 21 },
  remote: { family: 'ipv4', address: '192.0.2.9', port: 40_000 },
  mayUseActive: true,
  hasTls: true,
  requireTls: 'none',
  ascii: 'convert',
  defaultType: 'ascii',
  wallMs: () => Date.UTC(2026, 0, 1),
  uniqueSuffix: () => 'abc',
};
const quiet = { transferBytes: undefined, hasAborted: false };

const ready = (mayWrite: boolean, more: Partial<Ready> = {}): Ready => ({
  at: 'ready',
  login: openLogin(
    { rights: mayWrite ? 'full' : 'read' },
    { user: 'ann', remote: session.remote, secure: false },
    memoryFileSystem(),
  ),
  cwd: '/',
  type: 'image',
  structure: 'file',
  protection: { control: 'clear', hasBufferSize: false, data: 'clear' },
  data: { how: 'none' },
  onlyExtendedPassive: false,
  restartBytes: 0,
  renameFrom: undefined,
  facts: ALL_FACTS,
  ...more,
});

const say = (state: SessionState, line: string, where: Partial<SessionContext> = {}): Outcome => {
  const [verb = '', ...rest] = line.split(' ');
  return step(state, { verb, argument: rest.join(' ') }, { ...session, ...where }, quiet);
};
const codeOf = (outcome: Outcome): number | undefined => outcome.reply?.code;
const effectOf = <Type extends Effect['type']>(outcome: Outcome, type: Type): Extract<Effect, { type: Type }> => {
  expect(outcome.effect?.type).toBe(type);
  return outcome.effect as Extract<Effect, { type: Type }>;
};

const rows = commandRows();
const argumentFor = ([, spec]: (typeof rows)[number]): string => (spec.argument === 'none' ? '' : ' x');

describe('every row of the command table', () => {
  test.each(rows.filter(([, { access }]) => access !== 'anyone'))(
    '%s is refused with 530 before login',
    (verb, spec) => {
      expect(codeOf(say(initialState('clear'), verb + argumentFor([verb, spec])))).toBe(530);
    },
  );

  test.each(rows.filter(([, { access }]) => access === 'writer'))(
    '%s is refused with 550 to a reader',
    (verb, spec) => {
      expect(codeOf(say(ready(false), verb + argumentFor([verb, spec])))).toBe(550);
    },
  );

  test.each(rows.filter(([, { argument }]) => argument === 'required'))(
    '%s without its argument is refused with 501',
    (verb) => {
      expect(codeOf(say(ready(true), verb))).toBe(501);
    },
  );

  test.each(rows.filter(([, { argument }]) => argument === 'none'))(
    '%s with an argument is refused with 501',
    (verb) => {
      expect(codeOf(say(ready(true), `${verb} x`))).toBe(501);
    },
  );

  test.each(rows)('%s leads to a reply or an effect, never to nothing', (verb, spec) => {
    const outcome = say(ready(true), verb + argumentFor([verb, spec]));
    expect(outcome.reply ?? outcome.effect).toBeDefined();
  });

  test('HELP shows those that are offered, and FEAT those that have a feature', () => {
    const help = say(ready(true), 'HELP').reply?.lines.join(' ').split(' ');
    const feat = say(ready(true), 'FEAT').reply?.lines.map((line) => line.split(' ')[0]);
    for (const [verb, spec] of rows) {
      const isOffered = spec.offered?.(session) ?? true;
      expect(help?.includes(verb), verb).toBe(isOffered);
      expect(feat?.includes(verb), verb).toBe(isOffered && spec.feature !== undefined);
    }
    expect(feat).toContain('AUTH');
    expect(say(ready(true), 'FEAT', { hasTls: false }).reply?.lines).not.toContain('AUTH TLS');
  });
});

test('STAT without a path tells who is logged in from where, and what is under way', () => {
  expect(say(ready(false), 'STAT').reply).toEqual({
    code: 211,
    lines: [
      'Server status:',
      'Connected from 192.0.2.9',
      'Logged in as ann (read only)',
      'TYPE: image; STRU: file; MODE: stream',
      'No transfer in progress',
      'End of status',
    ],
  });
});

test.each(['toString', 'CONSTRUCTOR', 'HASOWNPROPERTY', '__PROTO__', 'XYZZY'])('%s is no command', (verb) => {
  expect(codeOf(say(ready(true), verb))).toBe(500);
});

describe('login', () => {
  test('every name gets the same 331', () => {
    const replies = ['ann', 'nobody', 'anonymous', 'root'].map(
      (name) => say(initialState('clear'), `USER ${name}`).reply,
    );
    expect(new Set(replies).size).toBe(1);
  });

  test('PASS before USER is out of order', () => {
    expect(codeOf(say(initialState('clear'), 'PASS x'))).toBe(503);
  });

  test('a control character in a name is refused', () => {
    expect(codeOf(say(initialState('clear'), 'USER a\tb'))).toBe(501);
  });

  test('each failure waits twice as long, and the third one ends the session', () => {
    let state: SessionState = initialState('clear');
    const seen: unknown[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      state = say(state, 'USER ann').state;
      const delay: Extract<Effect, { type: 'delay' }> = effectOf(
        effectOf(say(state, 'PASS wrong'), 'authenticate').resume(undefined),
        'delay',
      );
      const answer: Outcome = delay.resume();
      state = answer.state;
      seen.push([delay.delayMs, codeOf(answer), answer.effect?.type]);
    }
    expect(seen).toEqual([
      [1000, 530, undefined],
      [2000, 530, undefined],
      [4000, 421, 'close'],
    ]);
  });

  test('ten unknown commands before login end the session, nine do not', () => {
    let state: SessionState = initialState('clear');
    for (let count = 0; count < 9; count += 1) {
      const outcome = say(state, 'XYZZY');
      expect(codeOf(outcome)).toBe(500);
      state = outcome.state;
    }
    expect(say(state, 'XYZZY')).toMatchObject({ reply: { code: 421 }, effect: { type: 'close' } });
  });

  test.each(['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'CONNECT', 'PATCH', 'TRACE'])(
    '%s is a browser and ends the session',
    (verb) => {
      expect(say(initialState('clear'), `${verb} /`)).toMatchObject({
        reply: { code: 421 },
        effect: { type: 'close' },
      });
      expect(say(ready(true), `${verb} /`).effect?.type).toBe('close');
    },
  );

  test('REIN goes back to the greeting', () => {
    expect(say(ready(true), 'REIN')).toMatchObject({ state: { at: 'greeted' }, reply: { code: 220 } });
  });
});

describe('parameters', () => {
  test.each([
    ['TYPE A', 200],
    ['TYPE a n', 200],
    ['TYPE A T', 504],
    ['TYPE I', 200],
    ['TYPE L 8', 200],
    ['TYPE L8', 200],
    ['TYPE L 7', 504],
    ['TYPE E', 504],
    ['STRU F', 200],
    ['STRU R', 200],
    ['STRU FF', 501],
    ['MODE S', 200],
    ['MODE B', 504],
    ['ALLO 100 R 10', 200],
    ['ACCT x', 202],
    ['CLNT lftp/4.9', 200],
    ['OPTS UTF8 ON', 200],
    ['OPTS utf8', 200],
    ['OPTS UTF8 OFF', 504],
    ['OPTS MLST type;size;', 200],
    ['OPTS XYZ', 501],
    ['REST 0', 350],
    ['REST 12', 350],
    ['REST -1', 501],
    ['REST 99999999999999999', 501],
    ['REST x', 501],
    ['SITE HELP', 214],
    ['SITE WIZ', 504],
    ['SITE toString', 504],
    ['SITE CHMOD 4755 x', 501],
    ['SITE CHMOD x', 501],
    ['MFMT 20260101000000 x', undefined],
    ['MFMT 20260101 x', 501],
    ['MFMT 20260101000000', 501],
    ['HELP STOR', 214],
    ['HELP SITE', 214],
    ['HELP XYZZY', 502],
    ['RNTO x', 503],
    ['RMD /', 550],
    ['RETR x', 425],
    ['LIST', 425],
    ['SIZE x', undefined],
  ])('%s is answered %s', (line, code) => {
    expect(codeOf(say(ready(true), line))).toBe(code);
  });

  test('OPTS UTF8 ON works before login, OPTS MLST does not', () => {
    expect(codeOf(say(initialState('clear'), 'OPTS UTF8 ON'))).toBe(200);
    expect(codeOf(say(initialState('clear'), 'OPTS MLST type;'))).toBe(530);
  });

  test('in TYPE A only position 0 is possible, and SIZE is refused', () => {
    const ascii = ready(true, { type: 'ascii', data: { how: 'passive' } });
    expect(codeOf(say(ascii, 'REST 0'))).toBe(350);
    expect(codeOf(say(ascii, 'REST 1'))).toBe(554);
    expect(codeOf(say({ ...ascii, restartBytes: 1 }, 'RETR x'))).toBe(554);
    expect(codeOf(say(ascii, 'SIZE x'))).toBe(550);
  });

  test('a transfer uses up the data connection and the position', () => {
    const outcome = say(ready(true, { data: { how: 'passive' }, restartBytes: 5 }), 'RETR x');
    expect(effectOf(outcome, 'transfer').plan).toEqual({ what: 'download', path: '/x', startBytes: 5, ascii: false });
    expect(outcome.state).toMatchObject({ data: { how: 'none' }, restartBytes: 0 });
  });
});

describe('data connections', () => {
  test.each([
    ['PORT 192,0,2,9,195,81', 200],
    ['PORT 192,0,2,9,4,0', 200],
    ['PORT 192,0,2,9,3,255', 501],
    ['PORT 192,0,2,8,195,81', 501],
    ['PORT 127,0,0,1,0,22', 501],
    ['PORT 192,0,2,9,0,0', 501],
    ['PORT rubbish', 501],
    ['EPRT |1|192.0.2.9|50001|', 200],
    ['EPRT |1|192.0.2.8|50001|', 501],
    ['EPRT |1|192.0.2.9|22|', 501],
    ['EPRT |2|::ffff:192.0.2.9|50001|', 522],
    ['EPRT |3|x|50001|', 522],
    ['EPSV 2', 522],
    ['EPSV 7', 522],
    ['EPSV x', 501],
    ['EPSV ALL', 200],
  ])('%s is answered %i', (line, code) => {
    expect(codeOf(say(ready(true), line))).toBe(code);
  });

  test.each(['PASV', 'EPSV', 'EPSV 1'])('%s asks for a listener', (line) => {
    const effect = effectOf(say(ready(true), line), 'listen');
    expect(effect.names).toBe(line === 'PASV' ? 'address' : 'port');
    expect(effect.resume({ address: '192.0.2.1', port: 50_001 })).toMatchObject({
      state: { data: { how: 'passive' } },
      reply: { code: line === 'PASV' ? 227 : 229 },
    });
    for (const failure of ['no-port', 'no-address'] as const)
      expect(effect.resume(failure)).toMatchObject({ state: { data: { how: 'none' } }, reply: { code: 425 } });
  });

  test('after EPSV ALL everything but EPSV is refused', () => {
    const state = say(ready(true), 'EPSV ALL').state;
    for (const line of ['PASV', 'PORT 192,0,2,9,195,81', 'EPRT |1|192.0.2.9|50001|'])
      expect(codeOf(say(state, line)), line).toBe(503);
    expect(say(state, 'EPSV').effect?.type).toBe('listen');
  });

  test('active mode can be switched off', () => {
    expect(codeOf(say(ready(true), 'PORT 192,0,2,9,195,81', { mayUseActive: false }))).toBe(502);
    expect(codeOf(say(ready(true), 'EPRT |1|192.0.2.9|50001|', { mayUseActive: false }))).toBe(502);
  });

  test('PASV names the address that it is given, and EPSV 1 is refused on IPv6', () => {
    const local = { family: 'ipv6', address: '2001:db8::1', port: 21 } as const;
    const effect = effectOf(say(ready(true), 'PASV', { local }), 'listen');
    expect(effect.resume({ address: '203.0.113.5', port: 256 }).reply?.lines).toEqual([
      'Entering Passive Mode (203,0,113,5,1,0)',
    ]);
    expect(codeOf(say(ready(true), 'EPSV 1', { local }))).toBe(522);
  });
});

describe('security', () => {
  const clear = initialState('clear');
  const secured = (argument = 'TLS'): SessionState =>
    effectOf(say(ready(true), `AUTH ${argument}`), 'startTls').resume().state;

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
    expect(effectOf(say({ ...clear, failedLogins: 2 }, 'AUTH TLS'), 'startTls').resume().state).toMatchObject({
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
      protection: { control: 'private', hasBufferSize: true, data: 'clear' },
    });
    for (const line of ['RETR x', 'STOR x', 'APPE x', 'STOU', 'LIST', 'NLST', 'MLSD'])
      expect(codeOf(say(state, line, { requireTls: 'data' })), line).toBe(521);
    expect(say(state, 'RETR x', { requireTls: 'control' }).effect).toMatchObject({ protection: 'clear' });
    expect(codeOf(say(state, 'PROT C', { requireTls: 'data' }))).toBe(534);
    const changed = say(state, 'PROT P', { requireTls: 'data' });
    expect(say(changed.state, 'RETR x', { requireTls: 'data' }).effect).toMatchObject({ protection: 'private' });
  });
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

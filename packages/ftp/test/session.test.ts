import { describe, expect, test } from 'vitest';
import { commandRows } from '../src/commands/table.ts';
import type { Effect, Outcome } from '../src/effects.ts';
import { initialState, type SessionState } from '../src/session-state.ts';
import { codeOf, effectOf, ready, say, session } from './deciding.ts';

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

  test('HELP of each is printable ASCII, as replies are but for names', () => {
    for (const [verb] of rows) expect(say(ready(true), `HELP ${verb}`).reply?.lines.join('')).toMatch(/^[\x20-\x7e]+$/);
    expect(say(ready(true), 'HELP STOR').reply?.lines).toEqual(['STOR <path> (RFC 959, section 4.1.3)']);
  });

  test('HELP shows those that are offered, and FEAT those that have a feature', () => {
    const help = say(ready(true), 'HELP').reply?.lines.join(' ').split(' ');
    const feat = say(ready(true), 'FEAT').reply?.lines.map((line) => line.split(' ')[0]);
    for (const [verb, spec] of rows) {
      const isOffered = spec.offered?.(session, ready(true)) ?? true;
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
    ['SITE HELP chmod', 214],
    ['SITE HELP WIZ', 502],
    ['SITE HELP toString', 502],
    ['SITE WIZ', 504],
    ['SITE toString', 504],
    ['SITE CHMOD 4755 x', 501],
    ['SITE CHMOD x', 501],
    ['MFMT 20260101000000 x', undefined],
    ['MFMT 20260101 x', 501],
    ['MFMT 20260101000000', 501],
    ['HELP STOR', 214],
    ['HELP SITE', 214],
    ['HELP site UTIME', 214],
    ['HELP SITE WIZ', 502],
    ['HELP SITES', 502],
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

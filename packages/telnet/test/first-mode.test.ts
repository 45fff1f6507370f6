// The mode that a server's sessions begin in.

import { expect, test } from 'vitest';
import type { TelnetHandler } from '../src/connection.ts';
import type { Mode } from '../src/mode.ts';
import { telnetProtocol } from '../src/protocol.ts';
import { connect, DO_ECHO, DONT_ECHO, iac, latin1, sb, WILL_ECHO } from './session-fixture.ts';

const typeIs = (name: string): string => sb(24, 0, ...latin1(name));
const WILL_TTYPE = iac(251, 24);
const WONT_NAWS = iac(252, 31);
/** What an xterm says; the repeated name ends its list. */
const XTERM = `${WILL_TTYPE}${WONT_NAWS}${typeIs('XTERM')}${typeIs('XTERM')}`;

/** Says each mode it is in, when it begins and at each change. */
const says =
  (modes: Mode[]): TelnetHandler =>
  async (session) => {
    await session.ready;
    modes.push(session.mode);
    session.on('mode', (mode) => modes.push(mode));
    for await (const line of session.lines()) await session.print(line);
  };

test('auto: a terminal is asked for keys, and the session begins with its answer', async () => {
  const modes: Mode[] = [];
  const client = connect(says(modes), { mode: 'auto' });
  expect(await client.say(XTERM)).toContain(WILL_ECHO);
  expect(modes).toEqual([]);
  await client.say(DO_ECHO);
  expect(modes).toEqual(['character']);
});

test('auto: a terminal that refuses begins in line mode', async () => {
  const modes: Mode[] = [];
  const client = connect(says(modes), { mode: 'auto' });
  await client.say(XTERM);
  await client.say(DONT_ECHO);
  expect(modes).toEqual(['line']);
});

test('auto: one that answers neither is not waited for longer than others', async () => {
  const modes: Mode[] = [];
  const client = connect(says(modes), { mode: 'auto' });
  await client.say(XTERM);
  client.clock.advance(149);
  await client.received();
  expect(modes).toEqual([]);
  client.clock.advance(1);
  await client.received();
  expect(modes).toEqual(['line']);
  await client.say(DO_ECHO);
  expect(modes).toEqual(['line', 'character']);
});

test.each([
  ['says nothing', ''],
  ['refuses to say what it is', iac(252, 24) + WONT_NAWS],
  ['is made for multi-user worlds', `${WILL_TTYPE}${WONT_NAWS}${typeIs('MUDLET')}${typeIs('XTERM')}${typeIs('XTERM')}`],
  [
    'has its screen read out',
    `${WILL_TTYPE}${WONT_NAWS}${typeIs('X')}${typeIs('XTERM')}${typeIs('MTTS 64')}${typeIs('MTTS 64')}`,
  ],
])('auto: a client that %s is never asked', async (_what, bytes) => {
  const modes: Mode[] = [];
  const client = connect(says(modes), { mode: 'auto' });
  const answers = await client.say(bytes);
  client.clock.advance(150);
  expect(answers + (await client.received())).not.toContain(WILL_ECHO);
  expect(modes).toEqual(['line']);
});

test('auto: what the handler asks for goes before', async () => {
  const client = connect(
    async (session) => {
      void session.setMode('line');
      await session.readLine();
    },
    { mode: 'auto' },
  );
  await client.received();
  expect(await client.say(XTERM)).not.toContain(WILL_ECHO);
});

test('character: every client is asked at once, and one that refuses has line mode', async () => {
  const modes: Mode[] = [];
  const client = connect(says(modes), { mode: 'character' });
  expect(await client.received()).toContain(WILL_ECHO);
  await client.say(DONT_ECHO + iac(252, 24) + WONT_NAWS);
  expect(modes).toEqual(['line']);
});

test('line, the default: nobody is asked', async () => {
  const modes: Mode[] = [];
  const client = connect(says(modes));
  expect(await client.say(XTERM)).not.toContain(WILL_ECHO);
  expect(modes).toEqual(['line']);
});

test('a mode that is none is refused', () => {
  expect(() => telnetProtocol(() => undefined, { mode: 'keys' as Mode })).toThrow(
    "session.mode is 'keys', allowed are line, character, auto",
  );
});

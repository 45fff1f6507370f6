import type { TelnetHandler } from '../src/connection.ts';
import { describe, expect, test } from 'vitest';
import { connect, connectRaw, held, iac, latin1, parrot, sb, settle, type Client } from './session-fixture.ts';

const greet: TelnetHandler = async (session) => {
  await session.ready;
  const { type, columns, rows } = session.terminal;
  await session.print(`ready ${type} ${columns}x${rows}`);
  await session.settled;
  await session.print(`settled ${session.terminal.type} ${session.terminal.columns}x${session.terminal.rows}`);
  await session.readLine();
};
const is = (name: string): string => sb(24, 0, ...latin1(name));

/** A client on a line on which each answer comes `delayMs` after the question. Returns what the session printed. */
async function over(delayMs: number, answers: readonly string[], handler = greet): Promise<string> {
  const client: Client = connect(handler);
  let said = await client.received();
  for (const answer of answers) {
    client.clock.advance(delayMs);
    // What fell due on the way is printed before the answer comes.
    said += await client.received();
    said += await client.say(answer);
  }
  return said.replace(/[^ -~]/g, ' ');
}

const XTERM = [iac(251, 24) + iac(251, 31) + sb(31, 0, 132, 0, 43), is('XTERM'), is('XTERM')];
const CYCLE = [
  iac(251, 24) + iac(251, 31) + sb(31, 0, 132, 0, 43),
  ...['TINYFUGUE', 'ANSI-ATTR', 'ANSI', 'UNKNOWN', 'UNKNOWN'].map(is),
];

describe('the terminal is known at the greeting', () => {
  test.each([1, 40, 80, 149])('of an xterm that answers after %i ms', async (delayMs) => {
    expect(await over(delayMs, XTERM)).toContain('ready xterm 132x43');
  });
  test.each([1, 40, 80, 149])('of a client with four names that answers after %i ms', async (delayMs) => {
    expect(await over(delayMs, CYCLE)).toContain('ready ansi-attr 132x43');
  });
  test('of a client whose first answer is fast and whose next ones are up to half as slow again', async () => {
    const client = connect(greet);
    await client.received();
    client.clock.advance(140);
    await client.say(XTERM[0] ?? '');
    client.clock.advance(209);
    expect(await client.say(is('VT220'))).not.toContain('ready');
    client.clock.advance(300);
    expect(await client.say(is('VT220'))).toContain('ready vt220 132x43');
  });
});

describe('a client a quarter of a second away is greeted after 150 ms, and is right', () => {
  test.each([
    { name: 'an xterm', answers: XTERM, type: 'xterm' },
    { name: 'a cycle of four names', answers: CYCLE, type: 'ansi-attr' },
  ])('once all is told: $name', async ({ answers, type }) => {
    const said = await over(250, answers);
    expect(said).toContain('ready unknown 80x24');
    expect(said).toContain(`settled ${type} 132x43`);
  });

  test('at the events that tell of it', async () => {
    const seen: string[] = [];
    await over(250, XTERM, async (session) => {
      session.on('terminal', ({ type, columns }) => seen.push(`${type} ${columns}`));
      await session.readLine();
    });
    expect(seen).toEqual(['unknown 132', 'xterm 132']);
  });
});

test('a client that goes on answering is heard for two seconds', async () => {
  const client = connect(greet);
  let said = await client.received();
  for (let name = 0; name < 20; name += 1) {
    client.clock.advance(140);
    said += await client.say(iac(251, 24) + is(`name ${name}`));
  }
  // Eight names are the most; a ninth is none of them.
  expect(said).toContain('ready name 0 80x24');
  expect(said).toContain('settled name 0 80x24');
});

test('silence after the first answer is not waited for longer than that answer took', async () => {
  const client = connect(greet);
  await client.received();
  client.clock.advance(100);
  await client.say(XTERM[0] ?? '');
  client.clock.advance(149);
  expect(await client.received()).toBe('');
  client.clock.advance(1);
  expect(await client.received()).toContain('ready unknown 132x43');
  client.clock.advance(1750);
  expect(await client.received()).toContain('settled unknown 132x43');
});

test('an option message that never ends is given up after ten seconds, and the lines behind it are read', async () => {
  const client = await connectRaw(parrot);
  expect(await client.say('\u00ff\u00fa\u00c9a\n')).toBe('');
  expect(await client.say('hello\r\n')).toBe('');
  client.clock.advance(9_999);
  expect(await client.received()).toBe('');
  client.clock.advance(1);
  expect(await client.received()).toBe('<a>\r\n<hello>\r\n');
  expect(await client.say('next\r\n')).toBe('<next>\r\n');
});

test('no timer is left behind by a session that has ended', async () => {
  const { handler } = held();
  const client = await connectRaw(handler);
  await client.say('\u00ff\u00fa\u00c9a');
  client.peer.reset();
  await settle();
  client.clock.advance(60_000);
  expect(client.closeReason).toBe('peer-reset');
});

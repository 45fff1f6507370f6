import { byteByByte } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import type { TelnetHandler } from '../src/connection.ts';
import {
  connect,
  connectRaw,
  DO_ECHO,
  DO_NAWS,
  DO_TTYPE,
  DONT_ECHO,
  held,
  iac,
  latin1,
  parrot,
  sb,
  settle,
  WILL_ECHO,
  WONT_ECHO,
} from './session-fixture.ts';

describe('the opening', () => {
  test('asks for terminal type and window size and for nothing else', async () => {
    const client = connect(parrot);
    expect(await client.received()).toBe(DO_TTYPE + DO_NAWS);
  });

  const greet: TelnetHandler = async (session) => {
    await session.ready;
    const { type, columns, rows, client } = session.terminal;
    await session.print(`${type} ${columns}x${rows} ${client ?? '-'}`);
    await session.readLine();
  };

  test('holds the greeting back until the client has said all', async () => {
    const client = connect(greet);
    await client.received();
    expect(await client.say(iac(251, 24) + iac(251, 31))).toBe(sb(24, 1));
    expect(await client.say(sb(31, 0, 132, 0, 43))).toBe('');
    expect(await client.say(sb(24, 0, ...latin1('XTERM')))).toBe(sb(24, 1));
    expect(await client.say(sb(24, 0, ...latin1('XTERM')))).toBe('xterm 132x43 -\r\n');
  });

  test('greets at once a client that refuses both', async () => {
    const client = connect(greet);
    await client.received();
    expect(await client.say(iac(252, 24) + iac(252, 31))).toBe('unknown 80x24 -\r\n');
  });

  test('greets a client that says nothing after 150 ms', async () => {
    const client = connect(greet);
    await client.received();
    client.clock.advance(149);
    expect(await client.received()).toBe('');
    client.clock.advance(1);
    expect(await client.received()).toBe('unknown 80x24 -\r\n');
  });

  test('does not wait for a client that has already gone', async () => {
    const client = connect(greet);
    client.peer.reset();
    await settle();
    expect(client.closeReason).toBe('peer-reset');
  });

  test('offers prompt marks and a character set to a MUD client alone', async () => {
    const client = connect(greet);
    await client.received();
    await client.say(
      iac(251, 24) +
        iac(252, 31) +
        sb(24, 0, ...latin1('TINTIN++')) +
        sb(24, 0, ...latin1('xterm')) +
        sb(24, 0, ...latin1('MTTS 271')),
    );
    expect(await client.say(sb(24, 0, ...latin1('MTTS 271')))).toBe(
      `${iac(251, 25) + iac(251, 42)}xterm 80x24 tintin++\r\n`,
    );
    expect(await client.say(iac(253, 42))).toBe(sb(42, 1, ...latin1(';UTF-8;ISO-8859-1;CP437;US-ASCII')));
  });

  test('ends with the first answer that is no name', async () => {
    const client = connect(greet);
    await client.received();
    expect(await client.say(iac(251, 24) + iac(252, 31) + sb(24, 1))).toBe(`${sb(24, 1)}unknown 80x24 -\r\n`);
  });

  test('lets a client choose UTF-8 from a list of its own, and nothing else', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    expect(await client.say(iac(251, 42) + sb(42, 1, ...latin1(';KOI8-R;UTF-8')))).toBe(
      iac(253, 42) + sb(42, 2, ...latin1('UTF-8')),
    );
    expect(session().terminal.charset).toBe('UTF-8');
    expect(await client.say(sb(42, 1, ...latin1(';KOI8-R')))).toBe(sb(42, 3));
    expect(await client.say(sb(42, 4, 1))).toBe(sb(42, 5));
    expect(await client.say(sb(42, 3) + sb(42, 9))).toBe('');
  });

  test('asks a client that offers its environment for four variables', async () => {
    const { handler, session } = held();
    const client = connect(handler);
    await client.received();
    expect(await client.say(iac(251, 39))).toContain(`${iac(253, 39)}${iac(250, 39)}`);
    await client.say(
      sb(39, 0, 3, ...latin1('LANG'), 1, ...latin1('C.UTF-8'), 0, ...latin1('USER'), 1, ...latin1('-f root')),
    );
    expect(session().terminal.environment).toEqual(new Map([['LANG', 'C.UTF-8']]));
  });
});

describe.each([
  { name: 'CR LF', end: '\r\n' },
  { name: 'CR NUL', end: '\r\0' },
  { name: 'CR', end: '\r' },
  { name: 'LF', end: '\n' },
  { name: 'CR under BINARY', end: '\r', first: iac(251, 0) },
])('lines that end in $name', ({ end, first = '' }) => {
  test('are answered one by one', async () => {
    const client = await connectRaw(parrot);
    await client.say(first);
    expect(await client.say(`one${end}`)).toBe('<one>\r\n');
    expect(await client.say(`two${end}${end}`)).toBe('<two>\r\n<>\r\n');
  });
  test('are answered byte by byte', async () => {
    const client = await connectRaw(parrot);
    let received = '';
    for (const byte of byteByByte(latin1(`one${end}two${end}`))) received += await client.say(byte);
    expect(received).toBe('<one>\r\n<two>\r\n');
  });
});

test('text goes out with CR LF, CR NUL, doubled IACs and as UTF-8', async () => {
  const client = connect(async (session) => {
    await session.write('a\nb\r\nc\rd');
    await session.write(Uint8Array.of(1, 255, 2));
    await session.print('ü');
  });
  expect(await client.received()).toBe(`${DO_TTYPE + DO_NAWS}a\r\nb\r\nc\r\0d\u0001\u00ff\u00ff\u0002\u00c3\u00bc\r\n`);
});

describe('a prompt', () => {
  const MUD = iac(251, 24) + sb(24, 0, ...latin1('MUDLET')) + sb(24, 0, ...latin1('MUDLET'));
  const asking: TelnetHandler = async (session) => {
    for await (const line of session.lines({ prompt: '> ' })) await session.print(line);
  };

  test('is plain text for a terminal', async () => {
    const client = await connectRaw(asking);
    expect(await client.say('x\r\n')).toBe('x\r\n> ');
  });

  test('ends in GA for a MUD client', async () => {
    const client = await connectRaw(asking);
    await client.say(MUD);
    expect(await client.say('x\r\n')).toBe(`x\r\n> ${iac(249)}`);
  });

  test('ends in EOR for a client that agreed to it', async () => {
    const client = await connectRaw(asking);
    await client.say(MUD + iac(253, 25));
    expect(await client.say('x\r\n')).toBe(`x\r\n> ${iac(239)}`);
  });
});

describe('a password', () => {
  const login: TelnetHandler = async (session) => {
    for (let turn = 0; turn < 3; turn += 1) await session.print(`[${(await session.askPassword('Password: ')) ?? ''}]`);
  };

  test('is asked for with the echo off, and the echo comes back', async () => {
    const client = connect(login);
    expect(await client.received()).toBe(`${DO_TTYPE + DO_NAWS + WILL_ECHO}Password: `);
    expect(await client.say(DO_ECHO)).toBe('');
    // The Enter that the client did not show is shown by us; nothing of the password is.
    expect(await client.say('secret\r\0')).toContain(`\r\n${WONT_ECHO}[secret]\r\n`);
  });

  test('may be corrected key by key', async () => {
    const client = connect(login);
    await client.received();
    await client.say(DO_ECHO);
    for (const key of 'sec\u007fcret') expect(await client.say(key)).toBe('');
    expect(await client.say('\r\n')).toContain('[secret]');
  });

  test('is taken from a client that refuses, without a second line end', async () => {
    const client = connect(login);
    await client.received();
    await client.say(DONT_ECHO);
    expect(await client.say('secret\r\n')).toBe(`[secret]\r\n${WILL_ECHO}Password: `);
  });

  test('is hidden again at once when the client confirms', async () => {
    const client = connect(login);
    await client.received();
    await client.say(DO_ECHO);
    expect(await client.say('one\r\n')).toBe(`\r\n${WONT_ECHO}[one]\r\nPassword: `);
    expect(await client.say(DONT_ECHO)).toBe(WILL_ECHO);
  });

  test('is hidden again within a second when the client never confirms', async () => {
    const client = connect(login);
    await client.received();
    await client.say(DO_ECHO);
    await client.say('one\r\n');
    client.clock.advance(999);
    expect(await client.received()).toBe('');
    client.clock.advance(1);
    expect(await client.received()).toBe(WILL_ECHO);
  });

  test('brings the echo back when the client leaves in the middle', async () => {
    const client = connect(login);
    await client.received();
    await client.say(DO_ECHO);
    client.peer.end();
    expect(await client.received()).toContain(WONT_ECHO);
    expect(client.closeReason).toBe('finished');
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addGmcpSupport, encodeGmcp, isGmcpName, parseGmcp } from '../src/engine/options/gmcp.ts';
import { encodeMsdp, parseMsdp, type MsdpValue } from '../src/engine/options/msdp.ts';
import { encodeMssp, plainMssp } from '../src/engine/options/mssp.ts';
import { connect, connectRaw, DO_NAWS, DO_TTYPE, held, iac, latin1, parrot, sb } from './session-fixture.ts';

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('a GMCP message', () => {
  test('is a name, or a name and JSON', () => {
    expect(text(encodeGmcp('Core.Goodbye'))).toBe('Core.Goodbye');
    expect(text(encodeGmcp('Room.Info', { num: 1 }))).toBe('Room.Info {"num":1}');
    expect(parseGmcp(bytes('Room.Info {"num":1}'))).toEqual({ name: 'Room.Info', data: { num: 1 } });
    expect(parseGmcp(bytes('Core.Ping'))).toEqual({ name: 'Core.Ping', data: undefined });
    expect(parseGmcp(bytes('Core.Ping 12'))).toEqual({ name: 'Core.Ping', data: 12 });
  });

  test('has no control byte in it', () => {
    const sent = text(encodeGmcp('A', '\u0000\u001b\u007f\u009b\u2028'));
    expect(sent).toBe('A "\\u0000\\u001b\\u007f\\u009b\\u2028"');
    expect(parseGmcp(bytes(sent ?? ''))?.data).toBe('\u0000\u001b\u007f\u009b\u2028');
  });

  test('that makes no sense is none', () => {
    for (const odd of ['', ' {}', 'Core.Hello {', 'Co re', 'A..B 1', '\u001b[2J 1', 'x'.repeat(129)])
      expect(parseGmcp(bytes(odd)), odd).toBeUndefined();
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const odd of [cycle, 1n, () => 1]) expect(encodeGmcp('A', odd)).toBeUndefined();
    expect(encodeGmcp('not a name', 1)).toBeUndefined();
  });

  test('of a name at the limit is sent, one past it is not', () => {
    expect([isGmcpName('x'.repeat(128)), isGmcpName('x'.repeat(129))]).toEqual([true, false]);
  });

  test('of any kind of JSON comes back as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        expect(parseGmcp(encodeGmcp('A.B', data) ?? new Uint8Array())?.data).toEqual(JSON.parse(JSON.stringify(data)));
      }),
    );
  });

  test('any bytes are read without a throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (any) => void parseGmcp(any)));
  });
});

test('what a client supports is set, added to and taken from, up to 64 modules', () => {
  const say = (modules: ReadonlyMap<string, number>, verb: string, list: unknown): ReadonlyMap<string, number> =>
    addGmcpSupport(modules, { name: `Core.Supports.${verb}`, data: list });
  let modules = say(new Map(), 'Set', ['Char 1', 'Room 2', 7, 'odd one out']);
  expect(modules).toEqual(
    new Map([
      ['char', 1],
      ['room', 2],
    ]),
  );
  modules = say(modules, 'Add', ['Comm 1']);
  modules = say(modules, 'Remove', ['Char']);
  expect([...modules.keys()]).toEqual(['room', 'comm']);
  expect(say(modules, 'Set', 'Char 1')).toBe(modules);
  const many = Array.from({ length: 65 }, (_, index) => `m${index} 1`);
  expect(say(say(new Map(), 'Set', many.slice(0, 64)), 'Add', many).size).toBe(64);
});

test('an MSSP status is variables, lists included, without a byte that could end one', () => {
  const status = { NAME: 'A\u0001\u0002World', PLAYERS: 3, TLS: [4001, 4002], ANSI: true, MXP: undefined };
  expect(text(encodeMssp(status))).toBe(
    '\u0001NAME\u0002A  World\u0001PLAYERS\u00023\u0001TLS\u00024001\u00024002\u0001ANSI\u00021',
  );
  expect(plainMssp(status)).toBe(
    '\nMSSP-REPLY-START\nNAME\tA  World\nPLAYERS\t3\nTLS\t4001\t4002\nANSI\t1\nMSSP-REPLY-END\n',
  );
});

describe('an MSDP variable', () => {
  const value = fc.letrec<{ value: MsdpValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string().map((each) => each.replace(/[\u0000-\u0006]/g, '')),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.stringMatching(/^[A-Z]{1,8}$/), tie('value'), { maxKeys: 3 }),
    ),
  })).value;

  test('of any kind comes back as it was', () => {
    fc.assert(
      fc.property(value, (each) => {
        expect(parseMsdp(encodeMsdp('NAME', each))).toEqual([{ name: 'NAME', value: each }]);
      }),
    );
  });

  test('of several values has them as a list', () => {
    expect(parseMsdp(latin1('\u0001REPORT\u0002HEALTH\u0002MANA\u0001LIST\u0002COMMANDS'))).toEqual([
      { name: 'REPORT', value: ['HEALTH', 'MANA'] },
      { name: 'LIST', value: 'COMMANDS' },
    ]);
  });

  test('nested without end is given up, and any bytes are read without a throw', () => {
    expect(parseMsdp(latin1(`\u0001A\u0002${'\u0005\u0002'.repeat(4000)}`))).toEqual([]);
    fc.assert(
      fc.property(fc.uint8Array({ max: 8, maxLength: 60 }), (any) => {
        expect(parseMsdp(any).length).toBeLessThanOrEqual(any.length);
      }),
    );
  });

  test('called __proto__ is a name like any other', () => {
    const [message] = parseMsdp(latin1('\u0001A\u0002\u0003\u0001__proto__\u0002x\u0004'));
    expect(Object.keys(message?.value as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

const MUDLET = iac(251, 24) + sb(24, 0, ...latin1('MUDLET')) + sb(24, 0, ...latin1('MUDLET'));
const WILL_GMCP = iac(251, 201);
const DO_GMCP = iac(253, 201);

describe('a session with GMCP', () => {
  test('offers it to a MUD client, and to no terminal', async () => {
    const { handler } = held();
    const mud = await connectRaw(handler, { gmcp: true, msdp: true });
    expect(await mud.say(MUDLET)).toContain(WILL_GMCP + iac(251, 69));
    const terminal = await connectRaw(handler, { gmcp: true });
    expect(await terminal.say(MUDLET.replaceAll('MUDLET', 'XTERM'))).not.toContain(WILL_GMCP);
  });

  test('sends and receives, and knows what the client supports; another session knows nothing of it', async () => {
    const { handler, session } = held();
    const other = held();
    const client = await connectRaw(handler, { gmcp: true });
    await connectRaw(other.handler, { gmcp: true });
    const heard: unknown[] = [];
    session().on('gmcp', (message) => heard.push(message));
    await client.say(MUDLET);
    expect(session().gmcp.send('Room.Info')).toBe(false);
    await client.say(DO_GMCP + sb(201, ...latin1('Core.Supports.Set ["Room 1"]')) + sb(201, ...latin1('Broken {')));
    expect(heard).toEqual([{ name: 'Core.Supports.Set', data: ['Room 1'] }]);
    expect([...session().gmcp.modules]).toEqual([['room', 1]]);
    expect(other.session().gmcp.modules.size).toBe(0);
    expect(session().gmcp.send('Room.Info', { name: 'ÿ' })).toBe(true);
    expect(await client.received()).toBe(sb(201, ...bytes('Room.Info {"name":"ÿ"}')));
  });
});

test.each([
  ['GMCP', 201, { gmcp: true }],
  ['MSDP', 69, { msdp: true }],
] as const)(
  'a client that has not said who it is may ask for %s where it is on, and where it is not is refused',
  async (_, option, on) => {
    const client = await connectRaw(parrot, on);
    expect((await client.say(iac(253, option))).slice(0, 3)).toBe(iac(251, option));
    // What it has is not offered again once it is known.
    expect(await client.say(MUDLET)).not.toContain(iac(251, option));
    const other = await connectRaw(parrot);
    expect(await other.say(iac(253, option))).toBe(iac(252, option));
  },
);

test('a session with MSDP hears variables and sends them', async () => {
  const { handler, session } = held();
  const client = await connectRaw(handler, { msdp: true });
  const heard: unknown[] = [];
  session().on('msdp', (message) => heard.push(message));
  await client.say(MUDLET);
  expect(session().msdp.send('A', '1')).toBe(false);
  await client.say(iac(253, 69) + sb(69, ...latin1('\u0001LIST\u0002COMMANDS')));
  expect(heard).toEqual([{ name: 'LIST', value: 'COMMANDS' }]);
  expect(session().msdp.send('A', '1')).toBe(true);
  expect(await client.received()).toBe(sb(69, ...latin1('\u0001A\u00021')));
});

describe('a crawler', () => {
  const mssp = (): { NAME: string; PLAYERS: number } => ({ NAME: 'World', PLAYERS: 2 });
  const STATUS = sb(70, ...latin1('\u0001NAME\u0002World\u0001PLAYERS\u00022'));

  test('that answers no TTYPE is offered MSSP, and told', async () => {
    const client = connect(parrot, { mssp });
    expect(await client.received()).toBe(DO_TTYPE + DO_NAWS + iac(251, 70));
    expect(await client.say(iac(253, 70))).toBe(STATUS);
  });

  test('without telnet is told in plain text where that is wanted', async () => {
    const client = await connectRaw(parrot, { mssp, plainMssp: true });
    expect(await client.say('MSSP-REQUEST\r\n')).toBe(
      '\r\nMSSP-REPLY-START\r\nNAME\tWorld\r\nPLAYERS\t2\r\nMSSP-REPLY-END\r\n',
    );
    expect(client.peer.sawEnd).toBe(true);
  });

  test('without telnet is a user like any other where it is not', async () => {
    const client = await connectRaw(parrot, { mssp });
    expect(await client.say('MSSP-REQUEST\r\n')).toBe('<MSSP-REQUEST>\r\n');
  });

  test('is told nothing by a status that fails, and the session goes on', async () => {
    const client = await connectRaw(parrot, {
      mssp: () => {
        throw new Error('no status');
      },
    });
    expect(await client.say(iac(253, 70))).toBe('');
    expect(await client.say('hello\r\n')).toBe('<hello>\r\n');
  });
});

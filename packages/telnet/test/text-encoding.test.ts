import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textEncoding } from '../src/text-encoding.ts';
import { connectRaw, held, iac, latin1, parrot, sb } from './session-fixture.ts';

describe('text', () => {
  test.each([
    { charset: 'UTF-8', text: 'naïve – 世界 😀', bytes: [...new TextEncoder().encode('naïve – 世界 😀')] },
    { charset: 'ISO-8859-1', text: 'naïve ÿ', bytes: [110, 97, 0xef, 118, 101, 32, 0xff] },
    { charset: 'CP437', text: 'ï░│', bytes: [0x8b, 0xb0, 0xb3] },
    { charset: 'US-ASCII', text: 'plain', bytes: [112, 108, 97, 105, 110] },
  ] as const)('in $charset is written and read', ({ charset, text, bytes }) => {
    expect([...textEncoding(charset).encode(text)]).toEqual(bytes);
    expect(textEncoding(charset).decode(Uint8Array.from(bytes))).toBe(text);
  });

  test.each([
    { charset: 'US-ASCII', text: 'naïve – “Straße” Ελλάδα', ascii: 'naive - "Strasse" Ellada' },
    { charset: 'ISO-8859-1', text: '“Ω”', ascii: '"O"' },
    { charset: 'CP437', text: 'Привет', ascii: 'Privet' },
    { charset: 'US-ASCII', text: 'e\u0301', ascii: 'e' },
    { charset: 'US-ASCII', text: '\ue000', ascii: '?' },
  ] as const)('that $charset lacks is transliterated: $text', ({ charset, text, ascii }) => {
    expect(Buffer.from(textEncoding(charset).encode(text)).toString('latin1')).toBe(ascii);
  });

  test('of any kind can be written in any of them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const charset of ['UTF-8', 'ISO-8859-1', 'CP437'] as const) textEncoding(charset).encode(text);
        expect(
          textEncoding('US-ASCII')
            .encode(text)
            .every((byte) => byte < 128),
        ).toBe(true);
      }),
    );
  });
});

const REQUESTED = iac(253, 42);
const mud = iac(251, 24) + sb(24, 0, ...latin1('MUDLET')) + sb(24, 0, ...latin1('MUDLET'));

describe('the character set of a session', () => {
  test('is what the client accepts, in both directions, with 255 doubled', async () => {
    const client = await connectRaw(parrot);
    await client.say(mud + REQUESTED);
    await client.say(sb(42, 2, ...latin1('ISO-8859-1')));
    expect(await client.say('\u00fc\u00ff\u00ff\r\n')).toBe('<\u00fc\u00ff\u00ff>\r\n');
  });

  test('takes off one character for one backspace', async () => {
    const client = await connectRaw(parrot);
    await client.say(mud + REQUESTED);
    await client.say(sb(42, 2, ...latin1('CP437')));
    expect(await client.say('\u0081\u0082\b\r\n')).toBe('<\u0081>\r\n');
  });

  test('is ASCII for a client that rejects all', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    await client.say(mud + REQUESTED);
    await client.say(sb(42, 3));
    void session().print('Grüße – 世界');
    expect(await client.received()).toBe('Grusse - ShiJie\r\n');
    expect(session().terminal.encoding).toBe('US-ASCII');
  });

  test('where both have asked is what the client answers: its own request is refused once', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    await client.say(mud + REQUESTED);
    expect(await client.say(sb(42, 1, ...latin1(';CP437')))).toBe(sb(42, 3));
    await client.say(sb(42, 2, ...latin1('ISO-8859-1')));
    expect(session().terminal.encoding).toBe('ISO-8859-1');
    expect(await client.say(sb(42, 1, ...latin1(';CP437')))).toBe(sb(42, 2, ...latin1('CP437')));
    expect(session().terminal.encoding).toBe('CP437');
  });

  test.each([
    { name: 'a MUD client without the UTF-8 bit', said: ['KILDCLIENT', 'ANSI', 'MTTS 9'], encoding: 'US-ASCII' },
    { name: 'a MUD client with it', said: ['KILDCLIENT', 'ANSI', 'MTTS 13'], encoding: 'UTF-8' },
    { name: 'a client of bulletin boards', said: ['SyncTERM'], encoding: 'CP437' },
    { name: 'an xterm', said: ['XTERM'], encoding: 'UTF-8' },
  ])('of $name is $encoding', async ({ said, encoding }) => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    await client.say(iac(251, 24) + said.map((name) => sb(24, 0, ...latin1(name))).join(''));
    expect(session().terminal.encoding).toBe(encoding);
  });

  test('is what LANG says, where nothing else does', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    await client.say(iac(251, 39) + sb(39, 0, 3, ...latin1('LANG'), 1, ...latin1('de_DE.ISO-8859-1')));
    expect(session().terminal.encoding).toBe('ISO-8859-1');
  });

  test('is what the handler chooses, whatever the client says, and its own again when the handler lets go', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const told: string[] = [];
    session().on('terminal', ({ encoding }) => told.push(encoding));
    session().setEncoding('CP437');
    void session().print('│');
    expect(await client.received()).toBe('\u00b3\r\n');
    session().setEncoding(undefined);
    expect(told).toEqual(['CP437', 'UTF-8']);
  });
});

test('a client whose user has the screen read out says so', async () => {
  const { handler, session } = held();
  const client = await connectRaw(handler);
  await client.say(iac(251, 24) + ['VIPMUD', 'ANSI', 'MTTS 69'].map((name) => sb(24, 0, ...latin1(name))).join(''));
  expect(session().terminal.screenReader).toBe(true);
});

test('a client that offers its speed is asked for it', async () => {
  const { handler, session } = held();
  const client = await connectRaw(handler);
  expect(await client.say(iac(251, 32))).toBe(iac(253, 32) + sb(32, 1));
  await client.say(sb(32, 0, ...latin1('38400,9600')));
  expect(session().terminal.speed).toEqual({ transmit: 38400, receive: 9600 });
  await client.say(sb(32, 0, ...latin1('fast,slow')));
  expect(session().terminal.speed).toEqual({ transmit: 38400, receive: 9600 });
});

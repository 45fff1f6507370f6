import { byteByByte, cutAt, everyCut } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandOf, verbOf, type CommandName, type Verb } from '../src/engine/codes.ts';
import { encodeCommand, encodeNegotiation, encodeSubnegotiation, escapeIac } from '../src/engine/encoder.ts';
import { createParser } from '../src/engine/parser.ts';
import type { TelnetEvent } from '../src/engine/telnet-event.ts';

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

/** Events in a form that is the same however the data was cut. */
type Plain = string | number[] | readonly [CommandName] | readonly [Verb, number] | { sb: number; payload: number[] };

function plain(events: readonly TelnetEvent[]): Plain[] {
  const all: Plain[] = [];
  let data: number[] | undefined;
  for (const event of events) {
    if (event.type === 'data') {
      if (data === undefined) all.push((data = []));
      data.push(...event.bytes);
      continue;
    }
    data = undefined;
    if (event.type === 'command') all.push([event.command]);
    else if (event.type === 'negotiation') all.push([event.verb, event.option]);
    else if (event.type === 'subnegotiation') all.push({ sb: event.option, payload: [...event.payload] });
    else all.push(event.warning);
  }
  return all;
}

function parse(chunks: readonly Uint8Array[], maxSubnegotiationBytes?: number): Plain[] {
  const parser = createParser(maxSubnegotiationBytes === undefined ? {} : { maxSubnegotiationBytes });
  return plain(chunks.flatMap((chunk) => parser.push(chunk)));
}

const CORPUS: readonly { readonly name: string; readonly input: number[]; readonly events: Plain[] }[] = [
  { name: 'clean text is data', input: ascii('hello\r\n'), events: [ascii('hello\r\n')] },
  { name: 'a doubled IAC is one byte of data', input: [97, 255, 255, 98], events: [[97, 255, 98]] },
  { name: 'commands stand alone', input: [255, 246, 255, 244, 255, 241], events: [['AYT'], ['IP'], ['NOP']] },
  { name: 'a command lies between its data', input: [97, 255, 247, 98], events: [[97], ['EC'], [98]] },
  {
    name: 'negotiations carry their option',
    input: [255, 251, 24, 255, 252, 31, 255, 253, 3, 255, 254, 255],
    events: [
      ['WILL', 24],
      ['WONT', 31],
      ['DO', 3],
      ['DONT', 255],
    ],
  },
  {
    name: 'a subnegotiation has its payload',
    input: [255, 250, 24, 0, 65, 255, 240, 66],
    events: [{ sb: 24, payload: [0, 65] }, [66]],
  },
  { name: 'a subnegotiation may be empty', input: [255, 250, 86, 255, 240], events: [{ sb: 86, payload: [] }] },
  {
    name: 'a doubled IAC in a payload is one byte',
    input: [255, 250, 31, 0, 255, 255, 0, 24, 255, 240],
    events: [{ sb: 31, payload: [0, 255, 0, 24] }],
  },
  {
    name: 'a window size with a plain 255 is understood',
    input: [255, 250, 31, 0, 255, 0, 24, 255, 240],
    events: [{ sb: 31, payload: [0, 255, 0, 24] }],
  },
  {
    name: 'a window size that ends in a plain 255 ends where it should',
    input: [255, 250, 31, 0, 255, 0, 255, 255, 240, 66],
    events: [{ sb: 31, payload: [0, 255, 0, 255] }, [66]],
  },
  {
    name: 'a plain 255 before a byte that is no command stays in any payload',
    input: [255, 250, 201, 255, 65, 255, 240],
    events: [{ sb: 201, payload: [255, 65] }],
  },
  {
    name: 'a command inside a subnegotiation ends it and is obeyed',
    input: [255, 250, 24, 0, 65, 255, 253, 1, 66],
    events: ['interrupted-subnegotiation', ['DO', 1], [66]],
  },
  {
    name: 'a window size that never ends is interrupted too',
    input: [255, 250, 31, 0, 80, 0, 24, 255, 246, 66],
    events: ['interrupted-subnegotiation', ['AYT'], [66]],
  },
  {
    name: 'a subnegotiation without an option is reported',
    input: [255, 250, 255, 240, 66],
    events: ['empty-subnegotiation', [66]],
  },
  {
    name: 'option 255 is doubled in a subnegotiation',
    input: [255, 250, 255, 255, 7, 255, 240],
    events: [{ sb: 255, payload: [7] }],
  },
  {
    name: 'a command in place of the option is obeyed',
    input: [255, 250, 255, 244, 66],
    events: ['interrupted-subnegotiation', ['IP'], [66]],
  },
  {
    name: 'data in place of the option after IAC is data',
    input: [255, 250, 255, 65, 66],
    events: ['interrupted-subnegotiation', 'unknown-command', [65, 66]],
  },
  { name: 'SE without SB is reported', input: [255, 240, 65], events: ['stray-end', [65]] },
  {
    name: 'an IAC left over from a Synch is dropped and its neighbour kept',
    input: [97, 255, 98],
    events: [[97], 'unknown-command', [98]],
  },
  {
    name: 'an IAC left over from a Synch before a command is no command of its own',
    input: [255, 255, 244],
    events: [[255, 244]],
  },
  { name: 'a DM left over from a Synch is dropped', input: [97, 0xf2, 98], events: [[97], 'stray-mark', [98]] },
  { name: 'two of them are dropped', input: [0xf2, 0xf2, 98], events: ['stray-mark', 'stray-mark', [98]] },
  { name: 'a DM left over before a command is dropped', input: [0xf2, 255, 246], events: ['stray-mark', ['AYT']] },
  {
    name: '0xF2 that starts a UTF-8 character stays',
    input: [0xf2, 0x80, 0x80, 0x80, 97],
    events: [[0xf2, 0x80, 0x80, 0x80, 97]],
  },
  {
    name: '0xF2 stays under BINARY',
    input: [255, 251, 0, 0xf2, 97],
    events: [
      ['WILL', 0],
      [0xf2, 97],
    ],
  },
  {
    name: '0xF2 is dropped again after BINARY',
    input: [255, 251, 0, 255, 252, 0, 0xf2, 97],
    events: [['WILL', 0], ['WONT', 0], 'stray-mark', [97]],
  },
  {
    name: 'what ncat -t answers to a subnegotiation is survived',
    input: [255, 0, 24, 65],
    events: ['unknown-command', [0, 24, 65]],
  },
];

describe.each(CORPUS)('$name', ({ input, events }) => {
  const bytes = Uint8Array.from(input);
  test('in one chunk', () => expect(parse([bytes])).toEqual(events));
  test('byte by byte', () => expect(parse(byteByByte(bytes))).toEqual(events));
  test('cut anywhere', () => {
    for (const chunks of everyCut(bytes)) expect(parse(chunks)).toEqual(events);
  });
});

test('a plain 255 as the last byte of a window size costs nothing: neither the size nor what follows', () => {
  // 255 255 reads as one doubled byte, and then 240 would be a fifth byte, which no size has.
  const input = [255, 250, 31, 0, 80, 0, 255, 255, 240, 65, 255, 246, 66];
  expect(parse([Uint8Array.from(input)])).toEqual([{ sb: 31, payload: [0, 80, 0, 255] }, [65], ['AYT'], [66]]);
});

describe('the limit of a subnegotiation', () => {
  const of = (length: number, fill = 65): Uint8Array => encodeSubnegotiation(201, new Uint8Array(length).fill(fill));

  test('a payload at the limit is delivered', () => {
    for (const chunks of [[of(16)], byteByByte(of(16))])
      expect(parse(chunks, 16)).toEqual([{ sb: 201, payload: new Array(16).fill(65) }]);
  });

  test('one byte more is dropped to its end, reported once, and what follows is in step', () => {
    const input = Uint8Array.of(...of(17), 66, ...of(40), 67);
    for (const chunks of [[input], byteByByte(input)])
      expect(parse(chunks, 16)).toEqual(['long-subnegotiation', [66], 'long-subnegotiation', [67]]);
  });

  test('doubled IACs count against it, once each', () => {
    expect(parse([of(16, 255)], 16)).toEqual([{ sb: 201, payload: new Array(16).fill(255) }]);
    expect(parse([of(17, 255)], 16)).toEqual(['long-subnegotiation']);
  });

  test('the default is 4096 bytes', () => {
    expect(parse([of(4096)])).toHaveLength(1);
    expect(parse([of(4097)])).toEqual(['long-subnegotiation']);
  });

  test('a command ends one that is too long', () => {
    expect(parse([Uint8Array.of(255, 250, 31, ...new Array<number>(20).fill(1), 255, 251, 24, 66)], 16)).toEqual([
      'long-subnegotiation',
      'interrupted-subnegotiation',
      ['WILL', 24],
      [66],
    ]);
  });
});

test('every command code has one meaning, and every other byte after IAC is data', () => {
  for (let code = 0; code < 256; code += 1) {
    const events = parse([Uint8Array.of(255, code, 0)]);
    expect(events.length, `IAC ${code}`).toBeLessThanOrEqual(2);
    expect(commandOf(code) !== undefined && verbOf(code) !== undefined).toBe(false);
  }
});

/** Bytes among which those with a meaning are frequent. */
const telnetBytes = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(255, 250, 240, 251, 252, 253, 254, 242, 31, 0, 13, 10) },
      fc.integer({ min: 0, max: 255 }),
    ),
    { maxLength: 80 },
  )
  .map((bytes) => Uint8Array.from(bytes));

test('any bytes, cut anywhere, give the same events and never throw', () => {
  fc.assert(
    fc.property(telnetBytes, fc.array(fc.nat(80), { maxLength: 8 }), (input, cuts) => {
      const whole = parse([input], 8);
      expect(parse(cutAt(input, cuts), 8)).toEqual(whole);
      expect(parse(byteByByte(input), 8)).toEqual(whole);
    }),
    { numRuns: 300 },
  );
});

const VERBS: readonly Verb[] = ['WILL', 'WONT', 'DO', 'DONT'];
const STANDALONE: readonly CommandName[] = [
  'EOF',
  'SUSP',
  'ABORT',
  'EOR',
  'NOP',
  'DM',
  'BRK',
  'IP',
  'AO',
  'AYT',
  'EC',
  'EL',
  'GA',
];
const message = fc.oneof(
  // Without 0xF2, which outside of UTF-8 is a mark left over from a Synch.
  fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map((bytes) => bytes.map((byte) => (byte === 0xf2 ? 0 : byte)))
    .map((bytes) => ({ bytes: escapeIac(bytes), event: [...bytes] as Plain })),
  fc.constantFrom(...STANDALONE).map((command) => ({ bytes: encodeCommand(command), event: [command] as Plain })),
  fc
    .tuple(fc.constantFrom(...VERBS), fc.integer({ min: 1, max: 255 }))
    .map(([verb, option]) => ({ bytes: encodeNegotiation(verb, option), event: [verb, option] as Plain })),
  fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 20 })).map(([option, payload]) => ({
    bytes: encodeSubnegotiation(option, payload),
    event: { sb: option, payload: [...payload] },
  })),
);

test('what the encoder says, the parser reads', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(200), { maxLength: 6 }), (messages, cuts) => {
      const input = Uint8Array.from(messages.flatMap(({ bytes }) => [...bytes]));
      const received = parse(cutAt(input, cuts));
      const bytesOf = (event: Plain): event is number[] => Array.isArray(event) && typeof event[0] === 'number';
      const said: Plain[] = [];
      for (const { event } of messages) {
        const last = said.at(-1);
        if (bytesOf(event) && last !== undefined && bytesOf(last)) said[said.length - 1] = [...last, ...event];
        else said.push(event);
      }
      expect(received).toEqual(said);
    }),
  );
});

test('the parser owns nothing of a chunk: a payload outlives it', () => {
  const parser = createParser();
  const chunk = encodeSubnegotiation(24, Uint8Array.of(0, 65, 66));
  const [event] = parser.push(chunk);
  chunk.fill(0xee);
  expect(event).toEqual({ type: 'subnegotiation', option: 24, payload: Uint8Array.of(0, 65, 66) });
});

test('a chunk full of marks or of IACs is read in one pass', () => {
  // A quadratic search would take minutes for these, and the test run out of its time.
  for (const [byte, read] of [
    [0xf2, 2 ** 20 - 1],
    [255, 2 ** 19],
  ] as const) {
    const events = createParser().push(new Uint8Array(2 ** 20).fill(byte));
    expect(events.reduce((sum, event) => sum + (event.type === 'data' ? event.bytes.length : 1), 0)).toBe(read);
  }
});

test('doubled IACs between commands are undone in one piece of memory for the chunk', () => {
  // A buffer for each of them would add up to gigabytes.
  const input = new Uint8Array(2 ** 20);
  for (let at = 0; at < input.length; at += 4) input.set([255, 255, 255, 241], at);
  const buffers = new Set(
    createParser()
      .push(input)
      .map((event) => (event.type === 'data' ? event.bytes.buffer : 0)),
  );
  expect(buffers.size).toBe(2);
});

test('a chunk without IAC is passed on as it is', () => {
  const chunk = Uint8Array.from(ascii('nothing to undo'));
  expect(createParser().push(chunk)).toEqual([{ type: 'data', bytes: chunk }]);
  const [event] = createParser().push(chunk);
  expect(event?.type === 'data' && event.bytes === chunk).toBe(true);
});

describe('a subnegotiation that does not end', () => {
  test('is given up when asked, and what came behind its option is data', () => {
    const parser = createParser();
    expect(parser.push(Uint8Array.of(255, 250, 201, ...ascii('a\nb\n')))).toEqual([]);
    expect(parser.openSubnegotiation).toBe(1);
    expect(plain(parser.abandonSubnegotiation())).toEqual(['endless-subnegotiation', ascii('a\nb\n')]);
    expect(parser.openSubnegotiation).toBeUndefined();
    expect(plain(parser.push(Uint8Array.from(ascii('c'))))).toEqual([ascii('c')]);
  });

  test.each([
    { name: 'no option', bytes: [255, 250] },
    { name: 'half an option', bytes: [255, 250, 255] },
    { name: 'an IAC', bytes: [255, 250, 24, 255] },
    { name: 'too much to keep', bytes: [255, 250, 24, ...new Array<number>(9).fill(65)] },
  ])('is given up with $name, and the next line is read', ({ bytes }) => {
    const parser = createParser({ maxSubnegotiationBytes: 8 });
    parser.push(Uint8Array.from(bytes));
    expect(plain(parser.abandonSubnegotiation())).toEqual(['endless-subnegotiation']);
    expect(plain(parser.push(Uint8Array.from(ascii('hi'))))).toEqual([ascii('hi')]);
  });

  test('is nothing when there is none', () => {
    expect(createParser().abandonSubnegotiation()).toEqual([]);
  });
});

test.each([
  {
    name: 'behind an interrupt, an IAC of the Synch before a command is dropped',
    input: [255, 244, 255, 255, 253, 6],
    events: [['IP'], 'stray-mark', ['DO', 6]],
  },
  {
    name: 'behind an interrupt, a doubled IAC before data is data',
    input: [255, 244, 255, 255, 65],
    events: [['IP'], [255, 65]],
  },
  {
    name: 'behind data it is data, whatever follows',
    input: [255, 244, 65, 255, 255, 253, 6],
    events: [['IP'], [65, 255, 253, 6]],
  },
])('$name', ({ input, events }) => {
  for (const chunks of everyCut(Uint8Array.from(input))) expect(parse(chunks)).toEqual(events);
});

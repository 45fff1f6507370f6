import { byteByByte, cutAt } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeData } from '../src/engine/engine.ts';
import {
  createEngine,
  encodeNegotiation,
  encodeSubnegotiation,
  MAX_SUBNEGOTIATION_MS,
  OPTIONS,
  type Engine,
  type EngineEvent,
  type OptionRow,
  type Side,
} from '../src/engine/index.ts';
import { latin1 } from './session-fixture.ts';

const { STATUS, TTYPE, ECHO, NAWS } = OPTIONS;
const plain = (event: EngineEvent): string => {
  switch (event.type) {
    case 'data':
    case 'send':
      return `${event.type} ${Buffer.from(event.bytes).toString('latin1')}`;
    case 'option':
      return `${event.side} ${event.option} ${event.enabled ? 'on' : 'off'}${event.changed ? '' : ' still'}`;
    case 'subnegotiation':
      return `sb ${event.option} ${Buffer.from(event.payload).toString('latin1')}`;
    case 'command':
      return event.command;
    case 'warning':
      return `warning ${event.warning}`;
    case 'timing-mark':
      return event.type;
  }
};
const bytesOf = (...numbers: readonly number[]): string => String.fromCharCode(...numbers);

describe('TIMING-MARK', () => {
  const heard = (...numbers: readonly number[]): string[] =>
    createEngine()
      .receive(Uint8Array.of(255, ...numbers, 6), 0)
      .map(plain);

  test('is an event for a DO, refused to a WILL, and nothing else is answered or counted', () => {
    expect(heard(253)).toEqual(['timing-mark']);
    expect(heard(251)).toEqual([`send ${bytesOf(255, 254, 6)}`]);
    expect([heard(252), heard(254)]).toEqual([[], []]);
  });
});

test('an option that we have wished for is agreed to late, one that we no longer wish for is refused', () => {
  const rowOf = (): OptionRow => ({ us: 'on request', peer: 'on request', note: '' });
  const engine = createEngine({ rowOf });
  engine.ask('peer', 39, true);
  engine.receive(Uint8Array.of(255, 252, 39), 0);
  expect(engine.receive(Uint8Array.of(255, 251, 39), 0).map(plain)).toEqual([
    `send ${bytesOf(255, 253, 39)}`,
    'peer 39 on',
  ]);
  engine.ask('peer', 39, false);
  engine.receive(Uint8Array.of(255, 252, 39), 0);
  expect(engine.receive(Uint8Array.of(255, 251, 39), 0).map(plain)).toEqual([
    `send ${bytesOf(255, 254, 39)}`,
    'peer 39 off still',
  ]);
});

test('STATUS is answered to SEND alone', () => {
  const engine = createEngine();
  engine.receive(Uint8Array.of(255, 253, STATUS.code), 0);
  const asked = (...payload: readonly number[]): string[] =>
    engine.receive(Uint8Array.of(255, 250, STATUS.code, ...payload, 255, 240), 0).map(plain);
  expect(asked(1)).toHaveLength(1);
  for (const payload of [[], [0], [0, 251, 1], [1, 1]]) expect(asked(...payload), String(payload)).toEqual([]);
});

describe('a subnegotiation that never ends', () => {
  const endless = (): Engine => {
    const engine = createEngine();
    engine.receive(latin1('\u00ff\u00fa\u00c9a\n'), 1000);
    return engine;
  };

  test('is given up after ten seconds, and the lines in and behind it are read', () => {
    const engine = endless();
    expect(engine.deadlineMs).toBe(1000 + MAX_SUBNEGOTIATION_MS);
    engine.receive(latin1('hello\r\n'), 2000);
    expect(engine.deadlineMs).toBe(1000 + MAX_SUBNEGOTIATION_MS);
    expect(engine.expire(10_999)).toEqual([]);
    expect(engine.expire(11_000).map(plain)).toEqual(['warning endless-subnegotiation', 'data a\nhello\r\n']);
    expect(engine.deadlineMs).toBeUndefined();
    expect(engine.receive(latin1('next\r\n'), 11_001).map(plain)).toEqual(['data next\r\n']);
  });

  test('has time of its own: one that begins as another ends is not given up with it', () => {
    const engine = endless();
    engine.receive(latin1('\u00ff\u00f0\u00ff\u00fa\u00c9b'), 9000);
    expect(engine.deadlineMs).toBe(9000 + MAX_SUBNEGOTIATION_MS);
    engine.receive(latin1('\u00ff\u00f0'), 9001);
    expect(engine.deadlineMs).toBeUndefined();
  });
});

test('a payload for an option that is off is ignored', () => {
  const engine = createEngine();
  expect(engine.receive(encodeSubnegotiation(NAWS.code, latin1('\0P\0\u0018')), 0)).toEqual([]);
});

test('what the table refuses is not asked for', () => {
  const engine = createEngine();
  expect(engine.ask('us', TTYPE.code, true)).toEqual([]);
  expect(engine.ask('peer', ECHO.code, true)).toEqual([]);
  expect(engine.ask('peer', TTYPE.code, true).map(plain)).toEqual([`send ${bytesOf(255, 253, 24)}`]);
});

test('STATUS is answered ten times a second, and again in the next', () => {
  const engine = createEngine();
  engine.receive(encodeNegotiation('DO', STATUS.code), 0);
  const question = encodeSubnegotiation(STATUS.code, Uint8Array.of(1));
  const answers = (nowMs: number): number =>
    Array.from({ length: 20 }, () => engine.receive(question, nowMs)).filter(([event]) => event?.type === 'send')
      .length;
  expect([answers(0), answers(999), answers(1000)]).toEqual([10, 0, 10]);
});

test('data goes out with every IAC doubled', () => {
  expect(encodeData(Uint8Array.of(1, 255, 2))).toEqual(Uint8Array.of(1, 255, 255, 2));
});

// Whatever a peer does ----------------------------------------------------------------------------------------------

const hostile = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(255, 250, 240, 251, 252, 253, 254, 242, 244, 0, 1, 5, 6, 24, 31, 34, 42),
      },
      fc.integer({ min: 0, max: 255 }),
    ),
    { maxLength: 120 },
  )
  .map((bytes) => Uint8Array.from(bytes));

/** Events with data put together, since that may be cut anywhere. */
const joined = (events: readonly EngineEvent[]): string[] => {
  const all: string[] = [];
  let lastWasData = false;
  for (const event of events) {
    if (event.type === 'data' && lastWasData) all.push((all.pop() ?? '') + plain(event).slice('data '.length));
    else all.push(plain(event));
    lastWasData = event.type === 'data';
  }
  return all;
};
const run = (chunks: readonly Uint8Array[]): string[] => {
  const engine = createEngine({ maxSubnegotiationBytes: 16 });
  return joined(chunks.flatMap((chunk) => engine.receive(chunk, 0)));
};

test('any bytes, cut anywhere, mean the same and never throw', () => {
  fc.assert(
    fc.property(hostile, fc.array(fc.nat(120), { maxLength: 8 }), (input, cuts) => {
      expect(run(cutAt(input, cuts))).toEqual(run([input]));
      expect(run(byteByByte(input))).toEqual(run([input]));
    }),
    { numRuns: 500 },
  );
});

test('no input is answered with more than its own length and ten answers to STATUS', () => {
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 20 }), (chunks) => {
      const engine = createEngine();
      const received = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      let sent = 0;
      for (const event of chunks.flatMap((chunk) => engine.receive(chunk, 0)))
        if (event.type === 'send') sent += event.bytes.length;
      expect(sent).toBeLessThanOrEqual(received + 10 * 64);
    }),
  );
});

test('a peer that flips every option without end gets a bounded number of answers', () => {
  const engine = createEngine();
  let answers = 0;
  for (let turn = 0; turn < 40; turn += 1)
    for (const verb of ['WILL', 'WONT', 'DO', 'DONT'] as const)
      for (let option = 0; option < 256; option += 1) {
        if (option === OPTIONS['TIMING-MARK'].code) continue;
        answers += engine.receive(encodeNegotiation(verb, option), 0).filter(({ type }) => type === 'send').length;
      }
  // One for each side of 256 options, sixteen where something may yet be agreed to.
  const most = 512 + 16 * 2 * Object.keys(OPTIONS).length;
  expect(answers).toBeLessThan(most);
});

const wish = fc.record({
  who: fc.constantFrom(0 as const, 1 as const),
  side: fc.constantFrom<Side>('us', 'peer'),
  option: fc.constantFrom(0, 1, 3, 5, 6, 24, 25, 31, 34, 39, 42, 86, 99, 201),
  wanted: fc.boolean(),
  payload: fc.option(fc.uint8Array({ maxLength: 6 }), { nil: undefined }),
});
const WILLING: OptionRow = { us: 'agreed', peer: 'agreed', note: '' };

test.each([
  { name: 'a copy of itself', rowOf: undefined },
  { name: 'a copy of itself that agrees to everything', rowOf: () => WILLING },
])('it comes to rest with $name as its peer, whatever both want and say', ({ rowOf }) => {
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 40 }), (wishes) => {
      const engines = [0, 1].map(() => createEngine(rowOf === undefined ? {} : { rowOf }));
      const wires: [Uint8Array[], Uint8Array[]] = [[], []];
      const post = (from: 0 | 1, events: readonly EngineEvent[]): void => {
        for (const event of events) {
          if (event.type === 'send') wires[from === 0 ? 1 : 0].push(event.bytes);
          // Its user answers marks at once.
          else if (event.type === 'timing-mark') wires[from === 0 ? 1 : 0].push(encodeNegotiation('WILL', 6));
        }
      };
      for (const { who, side, option, wanted, payload } of wishes) {
        post(who, engines[who]?.ask(side, option, wanted) ?? []);
        if (payload !== undefined) wires[who === 0 ? 1 : 0].push(encodeSubnegotiation(option, payload));
      }
      wires[0].push(encodeNegotiation('DO', 6));
      let turns = 0;
      for (let at: 0 | 1 = 0; wires[0].length + wires[1].length > 0; at = at === 0 ? 1 : 0) {
        const bytes = wires[at].shift();
        if (bytes === undefined) continue;
        expect((turns += 1)).toBeLessThan(1000);
        post(at, engines[at]?.receive(bytes, 0) ?? []);
      }
    }),
  );
});

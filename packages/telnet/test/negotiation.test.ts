import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OPTIONS, type Verb } from '../src/engine/codes.ts';
import { createNegotiation, MAX_FLIPS_PER_OPTION, type Negotiation, type Reply } from '../src/engine/negotiation.ts';
import { optionRow } from '../src/engine/option-table.ts';

const { BINARY, ECHO, NAWS, SGA, TTYPE, LINEMODE } = OPTIONS;
const receive = (negotiation: Negotiation, verb: Verb, option: number): string => {
  const { reply } = negotiation.receive(verb, option);
  return reply === undefined ? '' : `${reply.verb} ${reply.option}`;
};

test('everything is off at first', () => {
  const negotiation = createNegotiation();
  for (let option = 0; option < 256; option += 1)
    expect([negotiation.isOn('us', option), negotiation.isOn('peer', option)]).toEqual([false, false]);
  expect(negotiation.listOn()).toEqual([]);
});

test.each(Array.from({ length: 256 }, (_, option) => option))(
  'option %i is agreed to or refused as the table says',
  (option) => {
    const us = optionRow(option).us === 'agreed';
    const peer = optionRow(option).peer === 'agreed';
    const negotiation = createNegotiation();
    expect(receive(negotiation, 'DO', option)).toBe(`${us ? 'WILL' : 'WONT'} ${option}`);
    expect(receive(negotiation, 'WILL', option)).toBe(`${peer ? 'DO' : 'DONT'} ${option}`);
    expect([negotiation.isOn('us', option), negotiation.isOn('peer', option)]).toEqual([us, peer]);
  },
);

test('neither echo nor LINEMODE is ever agreed to unasked, and SGA from the client alone', () => {
  for (const { code } of [ECHO, SGA, LINEMODE]) {
    const negotiation = createNegotiation();
    expect(receive(negotiation, 'DO', code)).toBe(`WONT ${code}`);
    expect(receive(negotiation, 'WILL', code)).toBe(`${code === SGA.code ? 'DO' : 'DONT'} ${code}`);
  }
});

test('a yes that repeats is not answered again', () => {
  const negotiation = createNegotiation();
  expect(receive(negotiation, 'WILL', TTYPE.code)).toBe(`DO ${TTYPE.code}`);
  for (let turn = 0; turn < 5; turn += 1) expect(receive(negotiation, 'WILL', TTYPE.code)).toBe('');
});

test('a client that offers while we ask is not answered: both have said it', () => {
  const negotiation = createNegotiation();
  expect(negotiation.ask('peer', NAWS.code, true).reply).toEqual({ verb: 'DO', option: NAWS.code });
  expect(negotiation.receive('WILL', NAWS.code)).toEqual({
    reply: undefined,
    change: { side: 'peer', option: NAWS.code, enabled: true },
  });
});

describe('a peer that flips without end', () => {
  test('is answered up to the limit and not once more', () => {
    const negotiation = createNegotiation();
    let answers = 0;
    for (let turn = 0; turn < 200; turn += 1) {
      if (receive(negotiation, 'WILL', BINARY.code) !== '') answers += 1;
      if (receive(negotiation, 'WONT', BINARY.code) !== '') answers += 1;
    }
    expect(answers).toBe(MAX_FLIPS_PER_OPTION);
    expect(negotiation.isOn('peer', BINARY.code)).toBe(false);
  });

  test('is refused an option that may yet be agreed to up to the limit and not once more', () => {
    const negotiation = createNegotiation();
    const answers = Array.from({ length: MAX_FLIPS_PER_OPTION + 1 }, () => receive(negotiation, 'DO', ECHO.code));
    expect(answers.filter((answer) => answer === `WONT ${ECHO.code}`)).toHaveLength(MAX_FLIPS_PER_OPTION);
    expect(answers.at(-1)).toBe('');
  });

  test('is refused an unknown option once in each direction', () => {
    const negotiation = createNegotiation();
    const answers = Array.from({ length: 20 }, () => receive(negotiation, 'DO', 99) + receive(negotiation, 'WILL', 99));
    expect(answers.join('')).toBe('WONT 99DONT 99');
  });

  test('takes nothing from other options', () => {
    const negotiation = createNegotiation();
    for (let turn = 0; turn < 50; turn += 1) receive(negotiation, 'DO', 99);
    expect(receive(negotiation, 'DO', 98)).toBe('WONT 98');
  });
});

test('our own changes are not counted: a password may be asked for any number of times', () => {
  const negotiation = createNegotiation();
  for (let turn = 0; turn < 100; turn += 1) {
    expect(negotiation.ask('us', ECHO.code, true).reply?.verb).toBe('WILL');
    expect(receive(negotiation, 'DO', ECHO.code)).toBe('');
    expect(negotiation.ask('us', ECHO.code, false).reply?.verb).toBe('WONT');
    expect(receive(negotiation, 'DONT', ECHO.code)).toBe('');
  }
});

describe('a client that never confirms WONT ECHO', () => {
  const unconfirmed = (): Negotiation => {
    const negotiation = createNegotiation();
    negotiation.ask('us', ECHO.code, true);
    negotiation.receive('DO', ECHO.code);
    negotiation.ask('us', ECHO.code, false);
    return negotiation;
  };

  test('keeps the next WILL ECHO waiting until it is assumed to have obeyed', () => {
    const negotiation = unconfirmed();
    expect(negotiation.ask('us', ECHO.code, true).reply).toBeUndefined();
    expect(negotiation.assumeOff('us', ECHO.code).reply).toEqual({ verb: 'WILL', option: ECHO.code });
  });

  test('may confirm late, and echo goes off all the same', () => {
    const negotiation = unconfirmed();
    negotiation.assumeOff('us', ECHO.code);
    negotiation.ask('us', ECHO.code, true);
    // The late answer to WONT, then the answer to the second WILL.
    negotiation.receive('DONT', ECHO.code);
    negotiation.receive('DO', ECHO.code);
    expect(negotiation.isOn('us', ECHO.code)).toBe(true);
  });

  test('is assumed to nothing when no answer is owed', () => {
    const negotiation = createNegotiation();
    negotiation.ask('us', ECHO.code, true);
    expect(negotiation.assumeOff('us', ECHO.code)).toEqual({ reply: undefined, change: undefined });
    expect(negotiation.state('us', ECHO.code)).toBe('want-yes');
  });
});

test('two of us, each with wishes of its own, always come to rest', () => {
  const wish = fc.record({
    who: fc.boolean(),
    side: fc.constantFrom('us' as const, 'peer' as const),
    option: fc.constantFrom(0, 1, 3, 24, 99),
    wanted: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 30 }), (wishes) => {
      const both = [createNegotiation(), createNegotiation()] as const;
      const wires: [Reply[], Reply[]] = [[], []];
      for (const { who, side, option, wanted } of wishes) {
        const { reply } = both[who ? 0 : 1].ask(side, option, wanted);
        if (reply !== undefined) wires[who ? 1 : 0].push(reply);
      }
      let received = 0;
      for (let at: 0 | 1 = 0; wires[0].length + wires[1].length > 0; at = at === 0 ? 1 : 0) {
        const message = wires[at].shift();
        if (message === undefined) continue;
        expect((received += 1)).toBeLessThan(500);
        const { reply } = both[at].receive(message.verb, message.option);
        if (reply !== undefined) wires[at === 0 ? 1 : 0].push(reply);
      }
      for (const option of [0, 1, 3, 24, 99]) {
        expect(both[0].state('us', option)).toBe(both[1].state('peer', option));
        expect(both[0].state('peer', option)).toBe(both[1].state('us', option));
      }
    }),
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLinemode } from '../src/engine/options/linemode.ts';
import { connectRaw, DO_ECHO, held, iac, latin1, sb } from './session-fixture.ts';

const LINEMODE = 34;
const MODE_EDIT_TRAPSIG = sb(LINEMODE, 1, 3);
const MODE_CHARACTER = sb(LINEMODE, 1, 0);
const XTERM = iac(251, 24) + sb(24, 0, ...latin1('XTERM')) + sb(24, 0, ...latin1('XTERM'));
const read = (...payload: number[]): ReturnType<typeof parseLinemode> =>
  parseLinemode(Uint8Array.from(payload), new Set());

describe('a LINEMODE message', () => {
  test('of a mode is a confirmation, or another wish', () => {
    expect(read(1, 7)).toEqual({ type: 'mode', isEditing: true, isConfirmation: true });
    expect(read(1, 0)).toEqual({ type: 'mode', isEditing: false, isConfirmation: false });
  });

  test('of special characters is accepted as it is', () => {
    expect(read(3, 3, 0x62, 3, 10, 0x02, 127, 1, 0, 0)).toEqual({
      type: 'special-characters',
      characters: [
        { function: 3, key: 3 },
        { function: 10, key: 127 },
        { function: 1, key: undefined },
      ],
      answer: Uint8Array.of(3, 3, 0x62 | 0x80, 3, 10, 0x82, 127),
    });
  });

  test('of special characters answers a function once, and an acknowledgement never', () => {
    expect(parseLinemode(Uint8Array.of(3, 3, 2, 3, 10, 0x82, 127), new Set([3]))).toMatchObject({
      answer: new Uint8Array(0),
    });
    expect(read(3, ...[4, 2, 1], ...[4, 2, 2])).toMatchObject({ answer: Uint8Array.of(3, 4, 0x82, 1) });
  });

  test('of functions that there are none of, or of half a triplet, is not answered', () => {
    expect(read(3, 0, 3, 0, 19, 2, 1, 255, 2, 1)).toMatchObject({ characters: [], answer: new Uint8Array(0) });
    expect(read(3, 3, 2)).toBeUndefined();
    expect(read()).toBeUndefined();
    expect(read(253, 2, 0)).toEqual({ type: 'forward-mask' });
  });

  test('of any kind never throws, and its answer is no longer than eighteen functions', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (any) => {
        const message = parseLinemode(Uint8Array.of(3, ...any), new Set());
        const { length } = message?.type === 'special-characters' ? message.answer : [];
        expect(length).toBeLessThanOrEqual(1 + 3 * 18);
      }),
    );
  });
});

describe('a session with LINEMODE', () => {
  test('asks a terminal, and says EDIT and TRAPSIG', async () => {
    const client = await connectRaw(held().handler, { linemode: true });
    expect(await client.say(XTERM)).toContain(iac(253, LINEMODE));
    expect(await client.say(iac(251, LINEMODE))).toBe(MODE_EDIT_TRAPSIG);
    expect(await client.say(sb(LINEMODE, 1, 7) + sb(LINEMODE, 3, 3, 2, 3))).toBe(sb(LINEMODE, 3, 3, 0x82, 3));
    expect(await client.say(sb(LINEMODE, 3, 3, 2, 4))).toBe('');
  });

  test('asks no MUD client, and nobody unless told to', async () => {
    const mud = await connectRaw(held().handler, { linemode: true });
    expect(await mud.say(XTERM.replaceAll('XTERM', 'MUDLET'))).not.toContain(iac(253, LINEMODE));
    const terminal = await connectRaw(held().handler);
    expect(await terminal.say(XTERM + iac(251, LINEMODE))).toContain(iac(254, LINEMODE));
  });

  test('follows the mode of the session', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { linemode: true });
    await client.say(XTERM);
    await client.say(iac(251, LINEMODE));
    void session().setMode('character');
    expect(await client.say(DO_ECHO)).toContain(MODE_CHARACTER);
    void session().setMode('line');
    expect(await client.received()).toContain(MODE_EDIT_TRAPSIG);
  });
});

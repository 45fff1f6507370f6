import { WellknownError } from '@wellknown/core';
import { describe, expect, test } from 'vitest';
import type { TelnetHandler } from '../src/connection.ts';
import type { SessionEvents } from '../src/session.ts';
import {
  AO,
  connectRaw,
  DM,
  DO_ECHO,
  DONT_ECHO,
  held,
  iac,
  IP,
  latin1,
  parrot,
  sb,
  settle,
  WILL_ECHO,
  WONT_ECHO,
} from './session-fixture.ts';

const WILL_SGA = iac(251, 3);
const WONT_SGA = iac(252, 3);
const DO_SGA = iac(253, 3);
const DONT_SGA = iac(254, 3);
const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');

describe('character mode', () => {
  test('is WILL ECHO and WILL SGA in one packet, and in force when the client agrees to ECHO', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const mode = session().setMode('character');
    expect(await client.received()).toBe(WILL_ECHO + WILL_SGA);
    expect(session().mode).toBe('line');
    await client.say(DO_ECHO + DO_SGA);
    expect(await mode).toBe('character');
    expect(session().mode).toBe('character');
  });

  test('stays in force for a client that takes its agreement to SGA back (BusyBox)', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const mode = session().setMode('character');
    expect(await client.say(DO_ECHO + DO_SGA + DONT_SGA)).toContain(WONT_SGA);
    expect(await mode).toBe('character');
  });

  test('is given up whole when the client refuses ECHO', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const mode = session().setMode('character');
    await client.received();
    expect(await client.say(DONT_ECHO + DO_SGA)).toBe(WONT_SGA);
    expect(await mode).toBe('line');
  });

  test('is not waited for longer than two seconds, and a later answer is an event', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const modes: string[] = [];
    session().on('mode', (mode) => modes.push(mode));
    const mode = session().setMode('character');
    let settled = false;
    void mode.then(() => (settled = true));
    client.clock.advance(1999);
    await settle();
    expect(settled).toBe(false);
    client.clock.advance(1);
    expect(await mode).toBe('line');
    await client.say(DO_ECHO);
    expect(modes).toEqual(['character']);
    expect(session().mode).toBe('character');
  });

  test('is left by WONT ECHO and WONT SGA', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    void session().setMode('character');
    await client.say(DO_ECHO + DO_SGA);
    const mode = session().setMode('line');
    expect(await client.received()).toBe(WONT_ECHO + WONT_SGA);
    await client.say(DONT_ECHO + DONT_SGA);
    expect(await mode).toBe('line');
  });

  test('is left within a second by a client that never confirms', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    void session().setMode('character');
    await client.say(DO_ECHO + DO_SGA);
    const mode = session().setMode('line');
    await client.received();
    client.clock.advance(1000);
    expect(await mode).toBe('line');
    void session().setMode('character');
    expect(await client.received()).toBe(WILL_ECHO + WILL_SGA);
  });

  test('ends when the user ends it at the client, and comes back the same way', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const modes: string[] = [];
    session().on('mode', (mode) => modes.push(mode));
    void session().setMode('character');
    await client.say(DO_ECHO + DO_SGA);
    expect(await client.say(DONT_SGA + DONT_ECHO)).toBe(WONT_SGA + WONT_ECHO);
    expect(await client.say(DO_SGA + DO_ECHO)).toContain(WILL_ECHO);
    expect(modes).toEqual(['character', 'line', 'character']);
  });

  test('is not a password: WILL ECHO alone leaves the mode as it is', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    void session().ask('Password: ', { mask: true });
    expect(await client.say(DO_ECHO)).toBe(`${WILL_ECHO}Password: `);
    expect(session().mode).toBe('line');
  });

  test('does not keep a session that has ended waiting', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const mode = session().setMode('character');
    client.peer.reset();
    expect(await mode).toBe('line');
  });
});

describe('raw input', () => {
  test('is the bytes of the keys, with Enter as one CR', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const raw = session().raw();
    const first = raw.read();
    await client.say('a\u001b[A\r\0');
    expect(text(await first)).toBe('a\u001b[A\r');
    await client.say('b\r\n');
    expect(text(await raw.read())).toBe('b\r');
  });

  test('is every byte under BINARY, with IAC undone', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    await client.say(iac(251, 0));
    const raw = session().raw();
    await client.say('\r\n\u00ff\u00ff\r\0');
    expect(text(await raw.read())).toBe('\r\n\u00ff\r\0');
  });

  test('begins with what was typed ahead, and gives back what was not read', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    await client.say('one\r\ntwo\r\nthr');
    const raw = session().raw();
    expect(text(await raw.read())).toBe('one\r');
    raw.close();
    await client.say('ee\r\n');
    expect([await session().readLine(), await session().readLine()]).toEqual(['two', 'three']);
    expect(await raw.read()).toBeUndefined();
  });

  test('loses nothing to the end of input', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    client.peer.send('one\r\ntw');
    client.peer.end();
    await settle();
    const raw = session().raw();
    expect(text(await raw.read())).toBe('one\r');
    raw.close();
    expect([await session().readLine(), await session().readLine()]).toEqual(['tw', undefined]);
  });

  test('gives a read that waits nothing when it is closed', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const raw = session().raw();
    const read = raw.read();
    raw.close();
    expect(await read).toBeUndefined();
    await client.say('a line\r\n');
    expect(await session().readLine()).toBe('a line');
  });

  test('is a loop that ends with the client', async () => {
    const echo: TelnetHandler = async (session) => {
      for await (const bytes of session.raw()) await session.write(bytes);
    };
    const client = await connectRaw(echo);
    expect(await client.say('abc')).toBe('abc');
    client.peer.end();
    await settle();
    expect(client.closeReason).toBe('finished');
  });

  test('that is not read makes the client wait, and reading lets it go on', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { maxQueuedInputBytes: 100 });
    const raw = session().raw();
    for (let chunk = 0; chunk < 100; chunk += 1) client.peer.send('0123456789');
    await settle();
    let received = 0;
    while (received < 1000) received += (await raw.read())?.length ?? 1000;
    expect(received).toBe(1000);
  });

  test.each([
    { name: 'IP', bytes: IP, key: '\u0003' },
    { name: 'ABORT', bytes: iac(238), key: '\u001c' },
    { name: 'EC', bytes: iac(247), key: '\u007f' },
    { name: 'EL', bytes: iac(248), key: '\u0015' },
    { name: 'EOF', bytes: iac(236), key: '\u0004' },
    { name: 'SUSP', bytes: iac(237), key: '\u001a' },
  ])('has $name as its key', async ({ bytes, key }) => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const raw = session().raw();
    await client.say(bytes);
    expect(text(await raw.read())).toBe(key);
  });

  test('has an interrupt ahead of what was typed before it', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const raw = session().raw();
    await client.say(`typed ahead${IP}later`);
    expect(text(await raw.read())).toBe('\u0003');
    expect(text(await raw.read())).toBe('later');
  });

  test('is read by one at a time, and not together with lines', async () => {
    const { handler, session } = held();
    await connectRaw(handler);
    const raw = session().raw();
    expect(() => session().raw()).toThrow(WellknownError);
    await expect(session().readLine()).rejects.toBeInstanceOf(WellknownError);
    raw.close();
    void session().readLine();
    expect(() => session().raw()).toThrow(WellknownError);
  });
});

describe('BINARY', () => {
  test('is asked for in the directions that are named, and waits for both answers', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const both = session().setBinary({ receive: true, transmit: true });
    expect(await client.received()).toBe(iac(253, 0) + iac(251, 0));
    await client.say(iac(251, 0) + iac(254, 0));
    expect(await both).toEqual({ receive: true, transmit: false });
    const none = session().setBinary({ receive: false });
    expect(await client.received()).toBe(iac(254, 0));
    await client.say(iac(252, 0));
    expect(await none).toEqual({ receive: false, transmit: false });
  });

  test('that is answered once for two questions is not waited for without end (TinTin++)', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const both = session().setBinary({ receive: true, transmit: true });
    await client.say(iac(251, 0));
    client.clock.advance(2000);
    expect(await both).toEqual({ receive: true, transmit: false });
  });
});

describe('an event', () => {
  const CASES: { name: keyof SessionEvents; bytes: string }[] = [
    { name: 'break', bytes: iac(243) },
    { name: 'suspend', bytes: iac(237) },
    { name: 'ayt', bytes: iac(246) },
    { name: 'interrupt', bytes: IP },
    { name: 'interrupt', bytes: iac(238) },
    { name: 'interrupt', bytes: '\u0003' },
  ];
  test.each(CASES)('$name reaches its listener, and nothing is answered', async ({ name, bytes }) => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    let times = 0;
    session().on(name, () => (times += 1));
    expect(await client.say(bytes)).toBe('');
    expect(times).toBe(1);
  });

  test('break without a listener is an interrupt', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    let times = 0;
    session().on('interrupt', () => (times += 1));
    await client.say(iac(243));
    expect(times).toBe(1);
  });
});

describe('output that waits', () => {
  test.each([
    { name: 'an interrupt', bytes: IP },
    { name: 'AO', bytes: AO },
  ])('is dropped by $name, and the place is marked', async ({ bytes }) => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { memory: { highWaterBytes: 100 } });
    client.peer.reading = false;
    void session().print('x'.repeat(200));
    void session().print('dropped');
    client.peer.send(bytes);
    void session().print('after');
    client.peer.reading = true;
    expect(await client.received()).toBe(`${'x'.repeat(200)}\r\n${DM}after\r\n`);
  });

  test('is handed out in pieces, so that most of one large write is dropped too', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { memory: { highWaterBytes: 100 } });
    client.peer.reading = false;
    // Doubled, the first 255 stands across the cut.
    const bytes = new Uint8Array(300_000).fill(255, 65_535);
    void session().write(bytes);
    session().discardOutput();
    client.peer.reading = true;
    expect(await client.received()).toBe(`${'\0'.repeat(65_535)}${DM}`);
  });
});

describe('a timing mark', () => {
  const DO_TM = iac(253, 6);
  const WILL_TM = iac(251, 6);

  test('is answered after the answer to the line before it', async () => {
    const client = await connectRaw(parrot);
    expect(await client.say(`one\r\n${DO_TM}two\r\n`)).toBe(`<one>\r\n${WILL_TM}<two>\r\n`);
  });

  test('is answered at once when nothing is before it', async () => {
    const { handler } = held();
    const client = await connectRaw(handler);
    expect(await client.say(DO_TM + DO_TM)).toBe(WILL_TM + WILL_TM);
  });

  test('behind a line that is being worked on waits for it, behind an interrupt it does not', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    await client.say('work\r\n');
    await session().readLine();
    expect(await client.say(DO_TM)).toBe('');
    expect(await client.say(IP + DO_TM)).toBe(WILL_TM + WILL_TM);
  });

  test('is answered after ten seconds whatever the handler does', async () => {
    const { handler } = held();
    const client = await connectRaw(handler);
    expect(await client.say(`line\r\n${DO_TM}`)).toBe('');
    client.clock.advance(9_999);
    expect(await client.received()).toBe('');
    client.clock.advance(1);
    expect(await client.received()).toBe(WILL_TM);
  });

  test('is answered for the input that a raw reader has taken', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const raw = session().raw();
    expect(await client.say(`abc${DO_TM}`)).toBe('');
    await raw.read();
    expect(await client.received()).toBe('');
    void raw.read();
    expect(await client.received()).toBe(WILL_TM);
  });
});

test('a size that comes while bytes are read is an event', async () => {
  const { handler, session } = held();
  const client = await connectRaw(handler);
  const sizes: string[] = [];
  session().on('resize', ({ columns, rows }) => sizes.push(`${columns}x${rows}`));
  session().raw();
  await client.say(iac(251, 31) + sb(31, 0, 100, 0, 30));
  expect(sizes).toEqual(['100x30']);
  expect(session().term).toBe(session().terminal);
});

test('bytes go out with back-pressure: the promise waits for a slow client', async () => {
  const { handler, session } = held();
  const client = await connectRaw(handler, { memory: { highWaterBytes: 10 } });
  client.peer.reading = false;
  let written = false;
  void session()
    .write(latin1('x'.repeat(20)))
    .then(() => (written = true));
  await settle();
  expect(written).toBe(false);
  client.peer.reading = true;
  await settle();
  expect(written).toBe(true);
});

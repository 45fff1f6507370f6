import { createInflate, inflateSync } from 'node:zlib';
import { eventually } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { createTransmitter } from '../src/transmitter.ts';
import { connectRaw, DM, held, iac, latin1, sb, type Client } from './session-fixture.ts';
import type { TelnetSession } from '../src/session.ts';

const MARKER = sb(86);
const WILL_MCCP2 = iac(251, 86);
const DO_MCCP2 = iac(253, 86);
const DONT_MCCP2 = iac(254, 86);
const MUDLET = iac(251, 24) + sb(24, 0, ...latin1('MUDLET')) + sb(24, 0, ...latin1('MUDLET'));

interface Compressed {
  readonly client: Client;
  readonly session: TelnetSession;
  readonly finish: () => void;
  /** All that came since the client said DO MCCP2, as latin1. */
  readonly until: (text: string) => Promise<string>;
}

async function compressed(): Promise<Compressed> {
  const { handler, session, finish } = held();
  const client = await connectRaw(handler, { mccp: true });
  expect(await client.say(MUDLET)).toContain(WILL_MCCP2);
  let received = await client.say(DO_MCCP2);
  return {
    client,
    session: session(),
    finish,
    async until(text) {
      await eventually(async () => {
        received += await client.received();
        return received.includes(text) || inflatedStart(received).includes(text);
      });
      return received;
    },
  };
}

/** What a stream that need not be at its end holds, behind its marker. */
function inflatedStart(received: string): string {
  const start = received.indexOf(MARKER);
  if (start < 0) return '';
  try {
    return inflateSync(latin1(received.slice(start + MARKER.length)), { finishFlush: 2 }).toString();
  } catch {
    return '';
  }
}

describe('compression', () => {
  test('begins behind its marker, and what is said comes out at once', async () => {
    const { session, until } = await compressed();
    void session.print('hello');
    expect(await until('hello')).toMatch(/^\u00ff\u00fa\u0056\u00ff\u00f0H/);
    void session.print('again');
    expect(inflatedStart(await until('again'))).toBe('hello\r\nagain\r\n');
  });

  test('sends its marker and its first bytes in one write', async () => {
    const writes: string[] = [];
    const transmitter = createTransmitter({
      send: (bytes) => writes.push(Buffer.from(bytes).toString('latin1')) > 0,
      hasRoom: () => undefined,
      failed: () => undefined,
    });
    transmitter.compress();
    await eventually(() => writes.length > 0);
    expect(writes[0]?.startsWith(MARKER)).toBe(true);
    expect(writes[0]?.length).toBeGreaterThan(MARKER.length);
    transmitter.close();
  });

  test('ends cleanly with the session', async () => {
    const { client, session, finish, until } = await compressed();
    void session.print('bye');
    finish();
    const received = await until('bye');
    await eventually(() => client.peer.sawEnd);
    const all = received + (await client.received());
    expect(inflateSync(latin1(all.slice(MARKER.length))).toString()).toBe('bye\r\n');
  });

  test('stops in the middle for a client that wants no more, and the rest is plain', async () => {
    const { client, session, until } = await compressed();
    void session.print('packed');
    client.peer.send(DONT_MCCP2);
    void session.print('plain');
    const received = await until('plain\r\n');
    const inflate = createInflate();
    inflate.end(latin1(received.slice(MARKER.length)));
    const chunks = await inflate.toArray();
    expect(Buffer.concat(chunks as Buffer[]).toString('latin1')).toBe(`packed\r\n${iac(252, 86)}`);
    expect(received.slice(MARKER.length + inflate.bytesWritten)).toBe('plain\r\n');
    expect(await client.say(iac(245))).toBe(DM);
  });

  test('waits for a slow client', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { mccp: true, memory: { highWaterBytes: 100 } });
    await client.say(MUDLET + DO_MCCP2);
    client.peer.reading = false;
    const noise = Uint8Array.from({ length: 200_000 }, (_, index) => (index * index * 7919) % 251);
    let written = false;
    void session()
      .write(noise)
      .then(() => (written = true));
    await eventually(() => client.connection.unsentBytes > 100);
    expect(written).toBe(false);
    client.peer.reading = true;
    await eventually(async () => {
      await client.received();
      return written;
    });
  });

  test('is offered neither unasked for nor to a terminal', async () => {
    const { handler } = held();
    const mud = await connectRaw(handler);
    expect(await mud.say(MUDLET)).not.toContain(WILL_MCCP2);
    const terminal = await connectRaw(handler, { mccp: true });
    expect(await terminal.say(MUDLET.replaceAll('MUDLET', 'XTERM') + DO_MCCP2)).not.toContain(WILL_MCCP2);
  });
});

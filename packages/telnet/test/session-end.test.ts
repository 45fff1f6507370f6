import { WellknownError } from '@wellknown/core';
import { serveInMemory } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { telnetProtocol } from '../src/protocol.ts';
import { connect, connectRaw, DO_NAWS, DO_TTYPE, held, parrot, settle, type Client } from './session-fixture.ts';

describe('the end', () => {
  test('comes when the handler returns, after its last words', async () => {
    const client = connect(async (session) => session.print('bye'));
    expect(await client.received()).toContain('bye\r\n');
    expect(client.peer.sawEnd).toBe(true);
    client.peer.end();
    expect(client.closeReason).toBe('finished');
  });

  test('waits for a slow client to take the last words', async () => {
    const { handler, session, finish } = held();
    const client = await connectRaw(handler, { memory: { highWaterBytes: 10 } });
    client.peer.reading = false;
    void session().print('x'.repeat(20));
    void session().print('last');
    finish();
    await settle();
    client.peer.reading = true;
    expect(await client.received()).toBe(`${'x'.repeat(20)}\r\nlast\r\n`);
    expect(client.peer.sawEnd).toBe(true);
  });

  test('of the client leaves the lines that came, also an unfinished one', async () => {
    const client = await connectRaw(parrot);
    client.peer.send('one\r\ntwo');
    client.peer.end();
    expect(await client.received()).toBe('<one>\r\n<two>\r\n');
    expect(client.closeReason).toBe('finished');
  });

  test('by a reset ends reading, rejects writing and aborts the signal', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const { signal } = session();
    const line = session().readLine();
    client.peer.reset();
    expect(await line).toBeUndefined();
    expect(signal.aborted).toBe(true);
    await expect(session().print('x')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    // Not awaited: must not become an unhandled rejection.
    void session().print('y');
    await settle();
  });

  test('reaches a writer that waits for room', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { memory: { highWaterBytes: 10 } });
    client.peer.reading = false;
    const written = session().print('x'.repeat(20));
    client.peer.reset();
    await expect(written).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  });

  test('by a handler that throws is told and logged, without its words', async () => {
    const logged: string[] = [];
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_: object, message: string) => void logged.push(message),
    };
    const memory = serveInMemory(
      telnetProtocol(() => Promise.reject(new Error('inner secret'))),
      { context: { log } },
    );
    await settle();
    expect(memory.peer.take()).toBe(`${DO_TTYPE + DO_NAWS}\r\nThe session has failed. Goodbye.\r\n`);
    memory.peer.end();
    expect(memory.closeReason).toBe('handler-failed');
    expect(logged).toEqual(['the telnet handler failed']);
  });

  test('two readers at once are a mistake that says so', async () => {
    const { handler, session } = held();
    await connectRaw(handler);
    void session().readLine();
    await expect(session().readLine()).rejects.toBeInstanceOf(WellknownError);
  });
});

describe('draining', () => {
  const notice = '\r\nThis server is going down.\r\n';

  test('says goodbye to an idle user at once', async () => {
    const client = await connectRaw(parrot);
    client.connection.startDrain();
    expect(await client.received()).toBe(notice);
    expect(client.peer.sawEnd).toBe(true);
  });

  test('is told to a handler that reads no lines, by the signal', async () => {
    const client = await connectRaw(async (session) => {
      await new Promise((resolve) => session.draining.addEventListener('abort', resolve));
      await session.print('bye');
    });
    client.connection.startDrain();
    expect(await client.received()).toBe('bye\r\n');
    expect(client.peer.sawEnd).toBe(true);
  });

  test('lets a busy handler finish what it does', async () => {
    let work = (): void => undefined;
    const client = await connectRaw(async (session) => {
      for await (const line of session.lines()) {
        await new Promise<void>((resolve) => (work = resolve));
        await session.print(`did ${line}`);
      }
    });
    await client.say('one\r\ntwo\r\n');
    client.connection.startDrain();
    expect(await client.received()).toBe('');
    work();
    expect(await client.received()).toBe(`did one\r\n${notice}`);
    expect(client.peer.sawEnd).toBe(true);
  });
});

describe('the idle limit', () => {
  // The wheel of core's timers turns in steps.
  const STEP_MS = 1000;
  const idleFor = (client: Client, ms: number): void => {
    for (let at = 0; at < ms; at += STEP_MS) client.clock.advance(STEP_MS);
  };

  test('is ten minutes without a byte in either direction, and then a word that says so', async () => {
    const client = await connectRaw(parrot);
    idleFor(client, 590_000);
    expect(await client.say('still there\r\n')).toBe('<still there>\r\n');
    idleFor(client, 598_000);
    expect(await client.received()).toBe('');
    idleFor(client, 3 * STEP_MS);
    expect(await client.received()).toBe('\r\nNothing was sent for 10 minutes. Goodbye.\r\n');
    expect(client.peer.sawEnd).toBe(true);
    client.peer.end();
    expect(client.closeReason).toBe('idle-timeout');
  });

  test('does not run while something is written', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    for (let minute = 0; minute < 15; minute += 1) {
      idleFor(client, 60_000);
      void session().print('tick');
    }
    expect(client.closeReason).toBeUndefined();
    expect(client.peer.sawEnd).toBe(false);
  });

  test('can be another, or none', async () => {
    const short = await connectRaw(parrot, { memory: { limits: { idleTimeoutMs: 45_000 } } });
    idleFor(short, 47_000);
    expect(await short.received()).toBe('\r\nNothing was sent for 45 seconds. Goodbye.\r\n');
    const never = await connectRaw(parrot, { memory: { limits: { idleTimeoutMs: 0 } } });
    idleFor(never, 1_300_000);
    expect(await never.say('x\r\n')).toBe('<x>\r\n');
  });
});

test('who is turned away is told why, in words', () => {
  const { refusal } = telnetProtocol(() => undefined);
  expect(refusal?.('address-limit')).toBe('Too many sessions from your address. Please try again later.\r\n');
  expect(refusal?.('queue-limit')).toBe('Too many sessions at the moment. Please try again later.\r\n');
});

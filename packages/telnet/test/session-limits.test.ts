import { byteByByte } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { connectRaw, held, iac, IP, latin1, parrot, sb, settle } from './session-fixture.ts';

describe('limits', () => {
  test('an option message at the limit is read, one past it is dropped, and both leave the session in step', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { maxSubnegotiationBytes: 10 });
    await client.say(iac(251, 24) + sb(24, 0, ...latin1('ninebytes')) + sb(24, 0, ...latin1('ten bytes!')));
    expect(session().terminal.names).toEqual(['ninebytes']);
    const line = session().readLine();
    await client.say('hello\r\n');
    expect(await line).toBe('hello');
  });

  test('a line at the limit is read; one past it rings, and the user is told', async () => {
    const client = await connectRaw(parrot, { maxLineBytes: 8 });
    expect(await client.say('12345678\r\n')).toBe('<12345678>\r\n');
    expect(await client.say('123456789')).toBe('\u0007');
    expect(await client.say('0\r\n')).toBe('Line too long: more than 8 bytes. Nothing was done.\r\n');
    expect(await client.say('ok\r\n')).toBe('<ok>\r\n');
  });

  test('unread lines make the client wait, and reading lets it go on', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { maxQueuedInputBytes: 100 });
    for (let line = 0; line < 100; line += 1) client.peer.send(`line ${line}\r\n`);
    expect(client.connection.receivedBytes).toBeLessThan(100);
    const received: (string | undefined)[] = [];
    for (let line = 0; line < 100; line += 1) received.push(await session().readLine());
    expect(received).toEqual(Array.from({ length: 100 }, (_, line) => `line ${line}`));
  });

  test('an interrupt makes room for what comes behind it', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { maxQueuedInputBytes: 100 });
    client.peer.send(`${'x\r\n'.repeat(50)}${IP}after`);
    client.peer.send('wards\r\n');
    expect(await session().readLine()).toBe('afterwards');
  });

  test('output that is not read is cut at the limit', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { maxQueuedOutputBytes: 164, memory: { highWaterBytes: 10 } });
    client.peer.reading = false;
    // The first goes to the connection, the second waits: 100 bytes, and 64 for keeping them.
    void session().write('x'.repeat(20));
    void session().write('x'.repeat(100));
    expect(client.closeReason).toBeUndefined();
    void session().write('x');
    expect(client.closeReason).toBe('unsent-overflow');
  });

  test('a writer that waits is held until the client reads', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { memory: { highWaterBytes: 10 } });
    client.peer.reading = false;
    let written = false;
    void session()
      .write('x'.repeat(20))
      .then(() => (written = true));
    await settle();
    expect(written).toBe(false);
    client.peer.reading = true;
    await settle();
    expect(written).toBe(true);
  });
});

describe('clients of other protocols', () => {
  test.each([
    { name: 'HTTP', bytes: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' },
    { name: 'SSH', bytes: 'SSH-2.0-OpenSSH_9.2\r\n' },
    { name: 'TLS', bytes: '\u0016\u0003\u0001\u0002\u0000\u0001' },
  ])('$name is told so, and its connection ended', async ({ name, bytes }) => {
    for (const chunks of [[latin1(bytes)], byteByByte(latin1(bytes))]) {
      const client = await connectRaw(parrot);
      let received = '';
      for (const chunk of chunks) received += await client.say(chunk);
      expect(received).toBe(`This is a telnet server. It does not speak ${name}.\r\n`);
      client.peer.end();
      expect(client.closeReason).toBe('protocol-error');
    }
  });

  test('nothing that follows their first line reaches the handler', async () => {
    const lines: string[] = [];
    const client = await connectRaw(async (session) => {
      for await (const line of session.lines()) lines.push(line);
    });
    await client.say('POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nreboot\r\n');
    await client.say('reboot\r\n');
    expect(lines).toEqual([]);
  });

  test('people who type in capitals are not taken for one', async () => {
    const client = await connectRaw(parrot);
    expect(await client.say('GET LAMP\r\n')).toBe('<GET LAMP>\r\n');
    expect(await client.say('GET / HTTP/1.1\r\n')).toBe('<GET / HTTP/1.1>\r\n');
  });
});

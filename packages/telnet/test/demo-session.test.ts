import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDemoSession } from '../src/demo-session.ts';
import { connectRaw, DO_ECHO, iac, latin1, sb, settle } from './session-fixture.ts';

describe('the demonstration', () => {
  const arrive = (): ReturnType<typeof connectRaw> => connectRaw(createDemoSession());

  test('greets, helps, echoes and leaves', async () => {
    const client = await arrive();
    expect(await client.received()).toMatch(
      /^Welcome\..*\r\nYou are 192\.0\.2\.1:50000, on a terminal of type unknown, 80 by 24\.\r\n.*\r\n> $/,
    );
    const help = await client.say('help\r\n');
    for (const name of ['help', 'who', 'term', 'echo TEXT', 'time', 'password', 'quit'])
      expect(help).toContain(`  ${name} `);
    expect(await client.say('echo  two  spaces\r\n')).toBe(' two  spaces\r\n> ');
    expect(await client.say('\r\n')).toBe('> ');
    expect(await client.say('WHO\r\n')).toContain('192.0.2.1:50000');
    expect(await client.say('term\r\n')).toContain('80 columns, 24 rows');
    expect(await client.say('time\r\n')).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(await client.say('quit\r\n')).toBe('Goodbye.\r\n');
    expect(client.peer.sawEnd).toBe(true);
  });

  test('asks for a password and forgets it', async () => {
    const client = await arrive();
    await client.received();
    await client.say('password\r\n');
    await client.say(DO_ECHO);
    const answer = await client.say('hunter2\r\n');
    expect(answer).toContain('You typed 7 characters.');
    expect(answer).not.toContain('hunter2');
  });

  test('has no commands that the table does not have', async () => {
    const client = await arrive();
    await client.received();
    for (const word of ['toString', 'constructor', '__proto__', 'hasOwnProperty'])
      expect(await client.say(`${word}\r\n`)).toContain("I don't know");
  });

  test('shows nothing of an escape sequence that another user has for a terminal type', async () => {
    const demonstration = createDemoSession();
    const hostile = await connectRaw(demonstration);
    await hostile.say(iac(251, 24) + sb(24, 0, ...latin1('\u001b[2J\u001b]0;x\u0007evil')));
    const client = await connectRaw(demonstration);
    await client.received();
    const answer = await client.say('who\r\n');
    expect(answer).toContain('[2j]0;xevil');
    expect(answer).not.toMatch(/[\u0000-\u0009\u000b\u000c\u000e-\u001f]/);
  });

  test('calls a user on a unix socket by no address', async () => {
    const client = await connectRaw(createDemoSession(), { memory: { remote: { family: 'unix', path: '' } } });
    expect(await client.received()).toContain('You are a local user, on a terminal');
  });

  test('forgets who has left', async () => {
    const demonstration = createDemoSession();
    const first = await connectRaw(demonstration);
    const second = await connectRaw(demonstration);
    await first.received();
    await second.received();
    expect((await second.say('who\r\n')).match(/192\.0\.2\.1/g)).toHaveLength(2);
    first.peer.reset();
    await settle();
    expect((await second.say('who\r\n')).match(/192\.0\.2\.1/g)).toHaveLength(1);
  });

  test('survives any bytes', async () => {
    const typed = fc.array(
      fc.oneof(fc.constantFrom(255, 250, 240, 251, 253, 24, 31, 13, 10, 0, 244, 245), fc.integer({ min: 0, max: 255 })),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(typed, async (bytes) => {
        const client = await arrive();
        await client.say(Uint8Array.from(bytes));
        client.peer.end();
        await settle();
        expect(['finished', 'protocol-error']).toContain(client.closeReason);
      }),
    );
  });
});

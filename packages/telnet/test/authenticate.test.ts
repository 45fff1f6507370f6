import { expect, test } from 'vitest';
import { authenticate, type AuthenticateOptions } from '../src/authenticate.ts';
import { connect, settle, type Client } from './session-fixture.ts';

interface Attempt {
  readonly client: Client;
  /** The outcomes so far. */
  readonly outcomes: readonly unknown[];
  readonly asked: readonly string[];
}

async function begin(options: Partial<AuthenticateOptions<string>> = {}): Promise<Attempt> {
  const outcomes: unknown[] = [];
  const asked: string[] = [];
  const client = connect(async (session) => {
    outcomes.push(
      await authenticate(session, {
        check: (name, password) => {
          asked.push(`${name}:${password}`);
          return password === 'right' ? name : undefined;
        },
        clock: client.clock,
        ...options,
      }),
    );
  });
  await client.received();
  return { client, outcomes, asked };
}

const tryOnce = async (client: Client, name: string, password: string): Promise<string> => {
  await client.say(`${name}\r\n`);
  const answer = await client.say(`${password}\r\n`);
  await settle();
  return answer + (await client.received());
};

test('who knows the password is let in', async () => {
  const { client, outcomes, asked } = await begin();
  await tryOnce(client, 'anna', 'right');
  expect(outcomes).toEqual(['anna']);
  expect(asked).toEqual(['anna:right']);
});

test('a failure is told in one way, and the next attempt waits, longer each time', async () => {
  const { client, outcomes } = await begin();
  expect(await tryOnce(client, 'anna', 'wrong')).toContain('Login incorrect\r\n');
  client.clock.advance(999);
  expect(await client.received()).toBe('');
  client.clock.advance(1);
  expect(await client.received()).toContain('login: ');
  await tryOnce(client, 'anna', 'wrong');
  client.clock.advance(1999);
  expect(await client.received()).toBe('');
  client.clock.advance(1);
  expect(await client.received()).toContain('login: ');
  await tryOnce(client, 'anna', 'right');
  expect(outcomes).toEqual(['anna']);
});

test('the third failure is the last', async () => {
  const { client, outcomes } = await begin({ delayMs: 0 });
  for (let count = 0; count < 3; count += 1) {
    client.clock.advance(1);
    await settle();
    await tryOnce(client, 'anna', 'wrong');
  }
  expect(outcomes).toEqual([undefined]);
  expect(client.peer.sawEnd).toBe(true);
});

test('who takes longer than a minute is told, and out', async () => {
  const { client, outcomes } = await begin();
  client.clock.advance(59_999);
  expect(await client.received()).toBe('');
  client.clock.advance(1);
  expect(await client.received()).toContain('Login timed out after 60 seconds.\r\n');
  expect(outcomes).toEqual([undefined]);
  expect(client.peer.sawEnd).toBe(true);
});

test('a name has no control characters, and a limit', async () => {
  const { client, asked } = await begin();
  await tryOnce(client, `a\t${'b'.repeat(100)}`, 'right');
  expect(asked).toEqual([`a${'b'.repeat(63)}:right`]);
});

test('a client that goes is no user', async () => {
  const { client, outcomes } = await begin();
  client.peer.end();
  await settle();
  expect(outcomes).toEqual([undefined]);
});

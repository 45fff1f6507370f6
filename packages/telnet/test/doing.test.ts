// What a session is said to be doing, for who looks at connections and for the log of a drain.

import { expect, test } from 'vitest';
import { eventually } from '@wellknown/core/testing';
import { programSession } from '../src/program/program-session.ts';
import { connect, connectRaw, held } from './session-fixture.ts';

test('a session is told by its user once the handler has named one', async () => {
  const { handler, session, finish } = held();
  const { connection } = await connectRaw(handler);
  expect(connection.doing).toBeUndefined();
  session().name = 'alice\x1b[2J';
  expect(connection.doing).toBe('session of alice[2J');
  finish();
});

test('a program is told by its name, without its folder and its arguments, as long as it runs', async () => {
  const client = connect(async (session) => {
    session.name = 'bob';
    await programSession('/bin/cat', { terminal: 'pipes', arguments: ['-u', '-'] })(session);
    session.name = '';
    await session.ask('More? ');
  });
  await client.received();
  client.clock.advance(150);
  await eventually(() => client.connection.doing === 'session of bob, program cat');
  // ^D: the end of its input.
  await eventually(async () => {
    await client.say('\x04');
    return client.connection.doing === undefined;
  });
});

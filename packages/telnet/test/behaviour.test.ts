import { describeServerBehaviour } from '@wellknown/core/testing';
import { describe, test } from 'vitest';
import { createTelnetServer } from '../src/index.ts';

describeServerBehaviour(
  {
    name: 'the telnet server',
    create: (options) =>
      createTelnetServer(async (session) => {
        for (let line = await session.readLine(); line !== undefined; line = await session.readLine())
          await session.print(line.repeat(10));
      }, options),
    async exchange(client) {
      client.send('hello\r\n');
      await client.receive('hellohello');
    },
    flood: `${'x'.repeat(100)}\r\n`,
  },
  { describe, test },
);

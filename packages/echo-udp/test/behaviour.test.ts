import { describeServerBehaviour } from '@wellknown/core/testing';
import { describe, test } from 'vitest';
import { createEchoServer } from '../src/index.ts';

describeServerBehaviour(
  {
    name: 'the echo server over TCP',
    create: (options) => createEchoServer(options),
    async exchange(client) {
      client.send('hello');
      await client.receive('hello');
    },
    flood: 'x'.repeat(1024),
  },
  { describe, test },
);

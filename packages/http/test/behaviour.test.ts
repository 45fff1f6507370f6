import { describeServerBehaviour } from '@wellknown/core/testing';
import { describe, test } from 'vitest';
import { createHttpServer, HttpResponse } from '../src/index.ts';

describeServerBehaviour(
  {
    name: 'the HTTP server',
    create: (options) => createHttpServer(() => new HttpResponse('x'.repeat(1000)), options),
    async exchange(client) {
      client.send('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
      await client.receive('xxxx');
    },
    flood: 'GET / HTTP/1.1\r\nHost: test\r\n\r\n',
  },
  { describe, test },
);

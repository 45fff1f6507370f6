import { afterEach, expect, test } from 'vitest';
import type { Server } from '@wellknown/core';
import { createEchoServer } from '../src/index.ts';

let server: Server | undefined;
afterEach(() => server?.close());

test.each([[0], [{ port: 0 }], [{ port: 0, host: '127.0.0.1' }], ['udp://127.0.0.1:0'], [[0]]])(
  'listen takes %j, a port alone for datagrams',
  async (listen) => {
    server = createEchoServer({ listen });
    const endpoints = await server.listen();
    expect(endpoints.map(({ url }) => url)).toEqual([`udp://127.0.0.1:${server.port}`]);
  },
);

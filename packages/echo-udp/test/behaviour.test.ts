import assert from 'node:assert/strict';
import { createServer } from '@wellknown/core';
import { describeDatagramBehaviour, describeServerBehaviour } from '@wellknown/core/testing';
import { describe, test } from 'vitest';
import { createEchoServer, smallServiceProtocol, STAMP_BYTES, type SmallServiceName } from '../src/index.ts';

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

let exchanges = 0;
describeDatagramBehaviour(
  {
    name: 'the echo server over UDP',
    create: (options) => createEchoServer(options),
    question: () => Buffer.from(`exchange ${(exchanges += 1)}`),
    check: (answer, question) => assert.deepEqual(Buffer.from(answer), Buffer.from(question)),
  },
  { describe, test },
);

const LENGTHS: readonly (readonly [SmallServiceName, number])[] = [
  ['daytime', 31],
  ['time', 4],
  ['stamp', STAMP_BYTES],
];
for (const [name, byteLength] of LENGTHS) {
  describeDatagramBehaviour(
    {
      name: `the ${name} server over UDP`,
      create: (options) => createServer({ protocol: smallServiceProtocol(name), listen: options.listen }, options),
      question: () => new Uint8Array(STAMP_BYTES),
      check: (answer) => assert.equal(answer.length, byteLength),
    },
    { describe, test },
  );
}

// For the loss and spread of connections: says the worker's process id, sends one line back, and is done.
import { defineProtocol, ok } from '@wellknown/core';
import { runCommand } from '@wellknown/core/cli';
import { pino } from 'pino';

await runCommand(
  {
    name: 'identify',
    summary: 'for benchmarks',
    options: [],
    defaultScheme: 'tcp',
    schemes: ['tcp'],
    build: async () =>
      ok(
        defineProtocol({
          name: 'identify',
          port: 7,
          async connection(peer) {
            await peer.write(`${process.pid}\n`);
            const line = await peer.readLine();
            if (line !== undefined) await peer.write(`${line}\n`);
          },
        }),
      ),
  },
  pino,
);

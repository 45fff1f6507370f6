import { describeServerBehaviour } from '@wellknown/core/testing';
import { describe, test } from 'vitest';
import { createFtpServer, memoryFileSystem } from '../src/index.ts';

describeServerBehaviour(
  {
    name: 'the FTP server',
    create: (options) => createFtpServer({ fileSystem: memoryFileSystem(), ...options }),
    async exchange(client) {
      client.send('NOOP\r\n');
      await client.receive(/200 .*\r\n/);
    },
    flood: 'HELP\r\n',
  },
  { describe, test },
);

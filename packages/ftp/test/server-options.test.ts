import { expect, test } from 'vitest';
import { createFtpServer, memoryFileSystem } from '../src/index.ts';

test('an unknown limit of the sessions is refused, with the one that may be meant', () => {
  const session: object = { loginTimeout: 5 };
  expect(() => createFtpServer({ fileSystem: memoryFileSystem(), session })).toThrow(
    "the session limit 'loginTimeout' is unknown: meant may be 'loginTimeoutMs'",
  );
});

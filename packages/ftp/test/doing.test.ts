// What a session and its data connections are said to be doing, for who looks at connections and for the log of a drain.

import { expect, test } from 'vitest';
import { END_GRACE_MS } from '../src/data-connection.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { play, playLoggedIn, turn } from './memory-session.ts';

test('a session that waits for a command does nothing', async () => {
  const { connection } = await playLoggedIn();
  expect(connection.doing).toBeUndefined();
});

test('a transfer is told by its command and path, until it is over', async () => {
  const session = await playLoggedIn();
  await session.say('CWD dir\r\n');
  const data = await session.openData();
  session.peer.send('STOR new file\r\n');
  await turn();
  expect(session.connection.doing).toBe('STOR /dir/new file');
  data.end();
  await turn();
  session.clock.advance(END_GRACE_MS);
  await session.say('', 2);
  expect(session.connection.doing).toBeUndefined();
});

test('while a password is looked at nothing of it is told', async () => {
  let decide = (): void => undefined;
  const decided = new Promise<undefined>((resolve) => (decide = () => resolve(undefined)));
  const session = play({ authenticate: () => decided });
  session.peer.send('USER ann\r\nPASS much-too-secret\r\n');
  await turn();
  expect(session.connection.doing).toBe('PASS');
  decide();
});

test('a change is told by the path that it is about', async () => {
  const fileSystem = memoryFileSystem({ files: { '/a.txt': 'hello' } });
  let done = (): void => undefined;
  const waiting = new Promise<void>((resolve) => (done = resolve));
  const session = await playLoggedIn({
    fileSystem: {
      ...fileSystem,
      stat: (path) => fileSystem.stat(path),
      async removeFile(path) {
        await waiting;
        return fileSystem.removeFile(path);
      },
    },
  });
  session.peer.send('DELE a.txt\r\n');
  await turn();
  expect(session.connection.doing).toBe('DELE /a.txt');
  done();
  await session.say('');
});

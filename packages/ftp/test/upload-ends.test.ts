// Whether the end of the data is the end of the file.

import { ok } from '@wellknown/core';
import { eventually } from '@wellknown/core/testing';
import { expect, test } from 'vitest';
import { END_GRACE_MS } from '../src/data-connection.ts';
import type { FileSystem } from '../src/file-system.ts';
import type { TransferReport } from '../src/index.ts';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { aroundTarget } from '../src/storage/wrap.ts';
import { openSession, withServer } from './ftp-session.ts';
import { playLoggedIn, turn } from './memory-session.ts';

// The client dies just within the time in which an end of the data is not yet the end of the file.
test.each([
  ['as many bytes as ALLO has announced is complete at its end', 5, true],
  ['fewer than that may be the work of a client that died', 6, false],
  ['more than that likewise', 4, false],
])('an upload of %s', async (_, announced, isComplete) => {
  const reports: TransferReport[] = [];
  const playing = await playLoggedIn({ onTransfer: (report) => reports.push(report) });
  await playing.say('TYPE I\r\n');
  const data = await playing.openData();
  await playing.say(`ALLO ${announced}\r\n`);
  await playing.say('STOR up\r\n');
  data.send('wh');
  data.send('ole');
  data.end();
  for (let turns = 0; turns < 5; turns += 1) await turn();
  playing.clock.advance(END_GRACE_MS - 1);
  await turn();
  playing.peer.end();
  while (reports.length === 0) await turn();
  expect(reports).toMatchObject([{ isComplete, bytes: 5 }]);
});

test('an upload whose connection is reset right behind its last bytes is no whole one', async () => {
  const files = memoryFileSystem();
  let arrivedBytes = 0;
  const fileSystem: FileSystem = {
    ...files,
    async write(path, options) {
      const opened = await files.write(path, options);
      if (!opened.ok) return opened;
      const target = aroundTarget(opened.value, {
        write(chunks, go) {
          for (const chunk of chunks) arrivedBytes += chunk.length;
          return go();
        },
      });
      return ok(target);
    },
  };
  await withServer({ fileSystem }, async (url) => {
    const session = await openSession(url);
    const data = await session.openData();
    expect(await session.say('STOR up')).toMatch(/^150 /);
    data.write('first');
    await eventually(() => arrivedBytes === 5);
    // Both are there before the server looks: this process is its too.
    data.write('last');
    data.resetAndDestroy();
    expect(await session.hear()).toMatch(/^426 /);
    expect(await files.stat('/up')).toEqual({ ok: false, error: 'not-found' });
  });
});

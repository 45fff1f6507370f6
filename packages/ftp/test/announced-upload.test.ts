import { expect, test } from 'vitest';
import { END_GRACE_MS } from '../src/data-connection.ts';
import type { TransferReport } from '../src/index.ts';
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

// What the admin page hears: once a second, for all viewers by one question.

import { expect, test } from 'vitest';
import { EventLog } from '../../src/admin/event-log.ts';
import { LiveFeed } from '../../src/admin/live-feed.ts';
import { readiness } from '../../src/admin/readiness.ts';
import type { ServerStatus } from '../../src/index.ts';
import { createFakeClock } from '../../src/testing/index.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

function feedOf() {
  const clock = createFakeClock();
  const log = new EventLog(clock, []);
  let asked = 0;
  const status = () => Promise.resolve({ pid: (asked += 1) } as ServerStatus);
  return { clock, log, feed: new LiveFeed({ status }, log, clock), asked: () => asked };
}

test('nobody is asked while nobody looks, and once a second for however many do', async () => {
  const { clock, log, feed, asked } = feedOf();
  log.note('before');
  clock.advance(5_000);
  await settled();
  expect(asked()).toBe(0);
  const seen: string[][] = [[], []];
  const leave = seen.map((texts) => feed.join((text) => texts.push(text) > 0));
  await settled();
  log.note('later');
  clock.advance(1_000);
  await settled();
  expect(asked()).toBe(2);
  const [first = '', second = ''] = seen[0] ?? [];
  expect(first).toMatch(/^event: status\ndata: \{.*"pid":1\}\}\n\nevent: events\ndata: \[.*"before".*\]\n\n$/);
  expect(second).toContain('"later"');
  expect(second).not.toContain('"before"');
  for (const one of leave) one();
  clock.advance(5_000);
  await settled();
  expect(asked()).toBe(2);
  log.close();
});

test('a viewer that is slower misses what it can not take, until it has room', async () => {
  const { clock, log, feed } = feedOf();
  let count = 0;
  const slow = () => {
    count += 1;
    return false;
  };
  feed.join(slow);
  await settled();
  clock.advance(3_000);
  await settled();
  expect(count).toBe(1);
  feed.hasRoom(slow);
  clock.advance(1_000);
  await settled();
  expect(count).toBe(2);
  feed.close();
  log.close();
});

test('the last hundred events are kept', () => {
  const { log } = feedOf();
  for (let count = 1; count <= 101; count += 1) log.note(`event ${count}`);
  expect([log.events.length, log.events[0]?.what, log.events.at(-1)?.what]).toEqual([100, 'event 2', 'event 101']);
  log.close();
});

const workers = (...at: ('ready' | 'starting' | 'draining')[]) =>
  at.map((phase) => ({ at: phase }) as ServerStatus['workers'][number]);

test.each([
  ['listening', 'primary', workers('ready', 'starting'), true, '1 of 2 workers ready'],
  ['reloading', 'primary', workers('ready', 'draining'), true, '1 of 2 workers ready'],
  ['listening', 'primary', workers('starting'), false, '0 of 1 workers ready'],
  ['draining', 'primary', workers('ready'), false, 'draining'],
  ['starting', 'standalone', [], false, 'starting'],
  ['listening', 'standalone', [], true, 'ready'],
  ['ended', 'standalone', [], false, 'ended'],
] as const)('a server that is %s, as %s, is sent new connections or not', (state, role, list, isWell, words) => {
  expect(readiness({ state, role, workers: list })).toEqual({ isWell, words });
});

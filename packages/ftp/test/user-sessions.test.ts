// What sessions of one user share, here and in other workers.

import type { Place, SharedPlaces } from '@wellknown/core';
import { createFakeClock, type FakeClock } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import { UserSessions, type SharedLimits } from '../src/user-sessions.ts';
import { openLogin, type Login, type UserLimits } from '../src/users/login.ts';
import { turn } from './memory-session.ts';

const never = new AbortController().signal;
const from = { remote: { family: 'ipv4', address: '192.0.2.9', port: 4000 }, secure: false } as const;
const loginOf = (user: string, limits: UserLimits = {}): Login =>
  openLogin({ limits }, { user, ...from }, memoryFileSystem());

/** Places of which other workers have some: so many of each name. */
function places(others: Readonly<Record<string, number>> = {}) {
  const own: Record<string, number> = {};
  const join = (name: string): Place => {
    own[name] = (own[name] ?? 0) + 1;
    return {
      get share() {
        return (own[name] ?? 0) / ((own[name] ?? 0) + (others[name] ?? 0));
      },
      release: () => void (own[name] = (own[name] ?? 0) - 1),
    };
  };
  const shared: SharedPlaces = {
    join,
    take: async (name, max) => ((own[name] ?? 0) + (others[name] ?? 0) < max ? join(name) : undefined),
  };
  return { shared, own };
}

const sessionsOf = (limits: Partial<SharedLimits>, shared: SharedPlaces, clock: FakeClock = createFakeClock()) =>
  new UserSessions({ session: {}, user: {}, server: {}, ...limits }, clock, shared);

/** How long 1,000 bytes take at this pace. */
async function msOf(
  pace: { moved(bytes: number, signal: AbortSignal): Promise<void> },
  clock: FakeClock,
): Promise<number> {
  const startMs = clock.nowMs();
  const over: true[] = [];
  void pace.moved(1000, never).then(() => over.push(true));
  for (;;) {
    await turn();
    if (over.length > 0) return clock.nowMs() - startMs;
    clock.advance(1);
  }
}

describe('the sessions of a user', () => {
  test('are as many as there may be over all workers, and a login has limits of its own', async () => {
    const { shared, own } = places({ 'sessions of user ann': 1 });
    const sessions = sessionsOf({ user: { maxSessions: 2 } }, shared);
    const first = await sessions.enter(loginOf('ann'));
    expect(await sessions.enter(loginOf('ann'))).toBeUndefined();
    expect(await sessions.enter(loginOf('bob'))).toBeDefined();
    expect(await sessions.enter(loginOf('ann', { maxSessions: 3 }))).toBeDefined();
    first?.leave();
    expect(own['sessions of user ann']).toBe(1);
  });

  test('keep their place, and their share of the rate, until what they have begun has ended', async () => {
    const clock = createFakeClock();
    const { shared, own } = places();
    const sessions = sessionsOf({ user: { maxSessions: 1, downloadBytesPerSecond: 1000 } }, shared, clock);
    const first = await sessions.enter(loginOf('ann'));
    if (first === undefined) throw new Error('no session');
    const download = first.begin('download');
    // As REIN does in the middle of a transfer.
    first.leave();
    expect(await sessions.enter(loginOf('ann'))).toBeUndefined();
    download.end();
    expect(own['sessions of user ann']).toBe(0);
    expect(await sessions.enter(loginOf('ann'))).toBeDefined();
  });

  test('without a limit nobody is told of them', async () => {
    const { shared, own } = places();
    const session = await sessionsOf({}, shared).enter(loginOf('ann'));
    session?.begin('download').end();
    session?.leave();
    expect(own).toEqual({});
  });
});

describe('a rate', () => {
  test('of a user is shared by the transfers of all workers, each direction for itself', async () => {
    const clock = createFakeClock();
    const { shared } = places({ 'downloads of user ann': 3 });
    const sessions = sessionsOf({ user: { downloadBytesPerSecond: 1000, uploadBytesPerSecond: 1000 } }, shared, clock);
    const session = await sessions.enter(loginOf('ann'));
    if (session === undefined) throw new Error('no session');
    const download = session.begin('download');
    expect(await msOf(download, clock)).toBe(4000);
    expect(await msOf(session.begin('upload'), clock)).toBe(1000);
    // A second transfer here: two of five.
    const other = session.begin('download');
    expect(await msOf(other, clock)).toBe(2500);
    other.end();
    expect(await msOf(download, clock)).toBe(4000);
  });

  test('of a user is one for all their sessions here, and new once the last one has ended', async () => {
    const clock = createFakeClock();
    const sessions = sessionsOf({}, places().shared, clock);
    const limits = { downloadBytesPerSecond: 1000 };
    const enter = async (more: UserLimits) => {
      const session = await sessions.enter(loginOf('ann', more));
      if (session === undefined) throw new Error('no session');
      return session;
    };
    const [first, second] = [await enter(limits), await enter(limits)];
    void first.begin('download').moved(1000, never);
    const ending = second.begin('download');
    expect(await msOf(ending, clock)).toBe(2000);
    ending.end();
    first.leave();
    second.leave();
    // One transfer of the first goes on: its user is still there.
    expect(await msOf((await enter({ downloadBytesPerSecond: 500 })).begin('download'), clock)).toBe(1000);
    const other = sessionsOf({}, places().shared, clock);
    const alone = await other.enter(loginOf('ann', limits));
    alone?.leave();
    const after = await other.enter(loginOf('ann', { downloadBytesPerSecond: 500 }));
    if (after === undefined) throw new Error('no session');
    expect(await msOf(after.begin('download'), clock)).toBe(2000);
  });

  test('of the server is shared by all, and the slowest of all rates decides', async () => {
    const clock = createFakeClock();
    const { shared, own } = places({ 'downloads of the server': 1 });
    const limits = { session: { downloadBytesPerSecond: 400 }, server: { downloadBytesPerSecond: 1000 } };
    const session = await sessionsOf(limits, shared, clock).enter(loginOf('ann'));
    if (session === undefined) throw new Error('no session');
    const download = session.begin('download');
    expect(download.portionBytes).toBe(1024);
    expect(await msOf(download, clock)).toBe(2500);
    download.end();
    expect(own['downloads of the server']).toBe(0);
  });
});

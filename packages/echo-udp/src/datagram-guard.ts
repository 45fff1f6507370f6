// What stands before every service here that answers datagrams: the policy of sources, then the rate of the source,
// then the rate of all sources, then the answer. Every datagram that gets none is counted under its reason; none is
// logged.

import { TokenBucket, type DatagramReceiver, type DatagramSocket, type ServiceContext } from '@wellknown/core';
import { SourceLimit } from './source-limit.ts';
import { DEFAULT_SOURCE_POLICY, reasonToDrop, type DropReason, type SourcePolicy } from './source-policy.ts';

export interface GuardOptions extends Partial<SourcePolicy> {
  /**
   * Datagrams a second that one source (IPv6: one /64) may have answered, in each worker. Default 100, with bursts of
   * twice that.
   */
  readonly ratePerSource?: number;
  /**
   * Datagrams a second that all sources together may have answered, over all workers. Default 10 000, with bursts of a
   * quarter of that.
   */
  readonly totalRate?: number;
  /**
   * After so many answers to one source without a pause of a second, one datagram is dropped, which ends any loop. 0:
   * never. Default 10 000.
   */
  readonly maxUnbrokenAnswers?: number;
  /** Sources remembered. Default 8192. */
  readonly maxSources?: number;
}

export const DEFAULT_GUARD = {
  // Enough for a prober at 10 ms, little enough that a forged source is no burden to its owner.
  ratePerSource: 100,
  // 15 MB a second of full frames: what a small machine can spare, and a reflector of that size is not worth an
  // attacker's time.
  totalRate: 10_000,
  // At the default rate this is one datagram in a hundred seconds.
  maxUnbrokenAnswers: 10_000,
  // A quarter of a megabyte, whether they are used or not.
  maxSources: 8192,
};

// From `totalRate`, so that a moment's rush is answered and a second's is not.
const TOTAL_BURST_SECONDS = 0.25;

/** The reasons in the order they are looked at; `status()` shows each, also those that have not happened. */
export const DROP_REASONS: readonly DropReason[] = [
  'own-port',
  'service-port',
  'too-short',
  'too-long',
  'rate',
  'loop',
  'total-rate',
  'queue-full',
];

/** The answer to a datagram, or undefined where it is too short to be one. May be the same buffer. */
export type Answer = (message: Uint8Array) => Uint8Array | undefined;

/**
 * The datagram side of a service: `createAnswer` is called once for each server. All sockets of one server share the
 * limits, so that a service on several addresses is not several services to a flood.
 */
export function guardedDatagrams(
  options: GuardOptions,
  createAnswer: (context: ServiceContext) => Answer,
): (socket: DatagramSocket, context: ServiceContext) => DatagramReceiver {
  const policy: SourcePolicy = {
    minSourcePort: options.minSourcePort ?? DEFAULT_SOURCE_POLICY.minSourcePort,
    maxDatagramBytes: options.maxDatagramBytes ?? DEFAULT_SOURCE_POLICY.maxDatagramBytes,
  };
  const totalRate = options.totalRate ?? DEFAULT_GUARD.totalRate;
  const shareOfTotal = (workerCount: number) => ({
    perSecond: totalRate / workerCount,
    capacity: Math.max(1, (totalRate / workerCount) * TOTAL_BURST_SECONDS),
  });
  const perServer = new WeakMap<
    ServiceContext,
    { readonly sources: SourceLimit; readonly total: TokenBucket; readonly answer: Answer; sharedBy: number }
  >();

  const setUp = (context: ServiceContext) => {
    const { clock, counters, workerCount } = context;
    const ratePerSource = options.ratePerSource ?? DEFAULT_GUARD.ratePerSource;
    for (const reason of DROP_REASONS) counters[`dropped-${reason}`] ??= 0;
    const made = {
      sources: new SourceLimit({
        perSecond: ratePerSource,
        burst: ratePerSource * 2,
        maxSources: options.maxSources ?? DEFAULT_GUARD.maxSources,
        maxUnbrokenAnswers: options.maxUnbrokenAnswers ?? DEFAULT_GUARD.maxUnbrokenAnswers,
        seed: Math.floor(Math.random() * 2 ** 32),
      }),
      total: new TokenBucket(shareOfTotal(workerCount), clock.nowMs()),
      answer: createAnswer(context),
      sharedBy: workerCount,
    };
    perServer.set(context, made);
    return made;
  };

  return (socket, context) => {
    const shared = perServer.get(context) ?? setUp(context);
    const { sources, total, answer } = shared;
    const { clock, counters } = context;
    const ownPort = socket.local.port;
    const drop = (reason: DropReason): void => {
      const name = `dropped-${reason}`;
      counters[name] = (counters[name] ?? 0) + 1;
    };
    return (message, source) => {
      const reason = reasonToDrop(policy, message.length, source, ownPort);
      if (reason !== undefined) {
        drop(reason);
        return;
      }
      const nowMs = clock.nowMs();
      const verdict = sources.take(source.address, nowMs);
      if (verdict !== 'ok') {
        drop(verdict);
        return;
      }
      if (shared.sharedBy !== context.workerCount) {
        shared.sharedBy = context.workerCount;
        total.change(shareOfTotal(shared.sharedBy), nowMs);
      }
      if (!total.take(nowMs)) {
        drop('total-rate');
        return;
      }
      const reply = answer(message);
      if (reply === undefined) drop('too-short');
      else if (!socket.send(reply, source.port, source.address)) drop('queue-full');
    };
  };
}

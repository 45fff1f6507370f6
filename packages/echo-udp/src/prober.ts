// Sends probes to an echo or a STAMP reflector at an even pace and tells what became of them.

import { connectDatagram } from '@wellknown/core/socket';
import { DEFAULT_DATAGRAM_LIMITS, systemClock, WellknownError, type Clock } from '@wellknown/core';
import { MIN_PROBE_BYTES, probeFormat, type ProbeKind } from './probe-datagram.ts';
import { ProbeCounters, type ProbeCounts } from './probe-counters.ts';

export interface ProbeOptions {
  /** Which service answers there. Default `echo`. */
  readonly kind?: ProbeKind;
  /** Probes to send; `Infinity` until `signal` aborts. Default 10. */
  readonly count?: number;
  /** Default 1000, at least 1. */
  readonly intervalMs?: number;
  /** Bytes of a probe, from 12 (STAMP: 44) to 65 507. Default 64. */
  readonly bytes?: number;
  /** After this a probe is lost. Default 2000, at most 60 000. */
  readonly timeoutMs?: number;
  /** Sends no more, waits for what is on its way, and resolves. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Called five times a second, and not after the end. */
  readonly onProgress?: (report: ProbeReport) => void;
}

export interface ProbeReport extends ProbeCounts {
  /** `udp://HOST:PORT` as it was asked for. */
  readonly target: string;
  readonly bytes: number;
  /** Answers whose bytes are not those that were sent, or that belong to another run. */
  readonly corrupted: number;
  /** How often the other end said that its port is closed (ICMP port unreachable). */
  readonly refused: number;
  /** Probes that this machine refused to send. */
  readonly unsent: number;
  /**
   * Answers that reached this machine and found the receive buffer full: lost, but not by the network. Known at the
   * end.
   */
  readonly droppedHere: number;
  readonly durationMs: number;
}

export const PROBE_LIMITS = { minIntervalMs: 1, maxTimeoutMs: 60_000, maxBytes: 65_507 } as const;

const PROGRESS_EVERY_MS = 200;
// How late a probe may be sent, and how long after the last answer the end is noticed.
const TICK_MS = 10;
// After a stall, probes are not sent in one burst but for so many intervals.
const MAX_CATCH_UP = 10;
// The last probe may have a duplicate behind its answer: it is waited for as long as the longest round trip, and at
// least this.
const MIN_STRAGGLERS_MS = 100;

/** Resolves with the report when every probe is answered or lost. Rejects with a WellknownError when it can't begin. */
export async function probe(target: string, options: ProbeOptions = {}): Promise<ProbeReport> {
  const {
    kind = 'echo',
    count = 10,
    intervalMs = 1_000,
    bytes = 64,
    timeoutMs = 2_000,
    signal,
    clock = systemClock,
    onProgress,
  } = options;
  check(
    'bytes',
    bytes,
    Number.isInteger(bytes) && bytes >= MIN_PROBE_BYTES[kind] && bytes <= PROBE_LIMITS.maxBytes,
    `a whole number from ${MIN_PROBE_BYTES[kind]} to ${PROBE_LIMITS.maxBytes}`,
  );
  check(
    'intervalMs',
    intervalMs,
    intervalMs >= PROBE_LIMITS.minIntervalMs,
    `a number from ${PROBE_LIMITS.minIntervalMs}`,
  );
  check(
    'timeoutMs',
    timeoutMs,
    timeoutMs > 0 && timeoutMs <= PROBE_LIMITS.maxTimeoutMs,
    `a number up to ${PROBE_LIMITS.maxTimeoutMs}`,
  );
  const tally = new ProbeCounters(timeoutMs);
  const format = probeFormat(kind, bytes, [Math.floor(Math.random() * 2 ** 32), Math.floor(Math.random() * 2 ** 32)]);
  let corrupted = 0;
  let unsent = 0;
  let lastAnswerMs = 0;
  const peer = await connectDatagram(target, {
    receiveBufferBytes: DEFAULT_DATAGRAM_LIMITS.receiveBufferBytes,
    onMessage(message) {
      lastAnswerMs = clock.nowMs();
      const answer = format.read(message);
      if (answer === undefined || !tally.receive(answer.sequence, lastAnswerMs, answer.insideMs)) corrupted += 1;
    },
  });
  const startMs = clock.nowMs();
  let dueFromMs = startMs;
  let tried = 0;

  const sendDue = (nowMs: number): void => {
    if (nowMs - dueFromMs > MAX_CATCH_UP * intervalMs) dueFromMs = nowMs - MAX_CATCH_UP * intervalMs;
    while (tried < count && nowMs >= dueFromMs && signal?.aborted !== true) {
      dueFromMs += intervalMs;
      tried += 1;
      const sequence = tally.send(clock.nowMs());
      if (!peer.send(format.write(sequence, clock.wallMs()))) unsent += 1;
    }
  };
  const report = (droppedHere = 0): ProbeReport => {
    tally.expire(clock.nowMs());
    const { failedSends, refused } = peer.counters;
    return {
      target,
      bytes,
      ...tally.counts(),
      corrupted,
      refused,
      unsent: unsent + failedSends,
      droppedHere,
      durationMs: clock.nowMs() - startMs,
    };
  };
  const isOver = (nowMs: number): boolean => {
    if (tried < count && signal?.aborted !== true) return false;
    tally.expire(nowMs);
    const longestMs = tally.counts().roundTripMs?.max ?? 0;
    return tally.waiting === 0 && nowMs - lastAnswerMs >= Math.min(timeoutMs, Math.max(MIN_STRAGGLERS_MS, longestMs));
  };

  await new Promise<void>((resolve) => {
    let progressAtMs = startMs + PROGRESS_EVERY_MS;
    const timer = clock.every(Math.max(1, Math.min(intervalMs, TICK_MS)), () => tick(), { keepAlive: true });
    const tick = (): void => {
      const nowMs = clock.nowMs();
      sendDue(nowMs);
      if (isOver(nowMs)) {
        timer.cancel();
        resolve();
      } else if (nowMs >= progressAtMs) {
        progressAtMs = nowMs + PROGRESS_EVERY_MS;
        onProgress?.(report());
      }
    };
    tick();
  });
  const droppedHere = await peer.droppedByKernel();
  peer.close();
  return report(droppedHere);
}

function check(name: string, given: number, isAllowed: boolean, allowed: string): void {
  if (!isAllowed)
    throw new WellknownError('OPTION_INVALID', `option '${name}' is ${given}, allowed is ${allowed}`, {
      fault: 'local',
    });
}

// What all connections of one served protocol share.

import type { Clock, Logger, ServiceContext } from '@wellknown/core';
import { BufferPool } from '@wellknown/core/files';
import type { AccessEntry } from '../access-log/access-entry.ts';
import type { TrustedProxies } from '../semantics/forwarded.ts';
import type { FetchHandler } from '../handler.ts';
import type { HttpLimits } from '../limits.ts';
import { LookAheads } from './look-aheads.ts';

export interface HttpServiceParts {
  readonly handler: FetchHandler;
  readonly limits: HttpLimits;
  readonly context: ServiceContext;
  readonly proxies: TrustedProxies | undefined;
  /** Called at the end of each exchange. */
  readonly accessLog: ((entry: AccessEntry) => void) | undefined;
  readonly halfClose?: HalfClose | undefined;
}

/**
 * What it means that a client has ended its side while its response is awaited or sent: it may only have said all that
 * it had to say (`answer`), or be gone (`abort`). TCP does not tell the two apart.
 */
export type HalfClose = (typeof HALF_CLOSE_POLICIES)[number];
export const HALF_CLOSE_POLICIES = ['answer', 'abort'] as const;

export class HttpService {
  readonly handler: FetchHandler;
  readonly limits: HttpLimits;
  readonly log: Logger;
  readonly clock: Clock;
  /** What outlives its exchange. */
  readonly work: ServiceContext['work'];
  readonly proxies: TrustedProxies | undefined;
  readonly accessLog: ((entry: AccessEntry) => void) | undefined;
  readonly halfClose: HalfClose;
  readonly buffers = new BufferPool();
  readonly lookAheads = new LookAheads();
  readonly counts: HttpCounts = {
    requests: 0,
    responses2xx: 0,
    responses3xx: 0,
    responses4xx: 0,
    responses5xx: 0,
    refusals: 0,
    upgrades: 0,
    aborted: 0,
  };
  readonly #idPrefix = crypto.randomUUID().slice(0, 8);
  #nextId = 0;
  #hasSaidLogFailed = false;
  #dateSecond = -1;
  #dateLine = '';

  constructor({ handler, limits, context, proxies, accessLog, halfClose = 'answer' }: HttpServiceParts) {
    this.handler = handler;
    this.limits = limits;
    this.log = context.log;
    this.clock = context.clock;
    this.work = context.work;
    this.proxies = proxies;
    this.accessLog = accessLog;
    this.halfClose = halfClose;
    // Plain fields are counted much faster than names are looked up; core reads them through the names.
    const { counts } = this;
    for (const name of Object.keys(counts) as (keyof HttpCounts)[])
      Object.defineProperty(context.counters, name, { enumerable: true, configurable: true, get: () => counts[name] });
  }

  /** One that fails is likely to fail for every request: one line is enough. */
  accessLogFailed(error: unknown): void {
    if (this.#hasSaidLogFailed) return;
    this.#hasSaidLogFailed = true;
    this.log.error({ err: error }, 'the access log failed: requests are missing from it; this is said once');
  }

  /** Unique among all workers, short, and without meaning. */
  newRequestId(): string {
    this.#nextId += 1;
    return `${this.#idPrefix}-${this.#nextId.toString(36)}`;
  }

  /** `Date: …` with CR LF, made once in a second (RFC 9110 §6.6.1). */
  get dateLine(): string {
    const nowMs = this.clock.wallMs();
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#dateLine = `Date: ${new Date(nowMs).toUTCString()}\r\n`;
    }
    return this.#dateLine;
  }
}

/** The counters of an HTTP service. They name neither paths nor hosts, so that their number does not grow. */
export interface HttpCounts {
  requests: number;
  responses2xx: number;
  responses3xx: number;
  responses4xx: number;
  responses5xx: number;
  /** Requests that were refused before a handler saw them, or all of them. */
  refusals: number;
  upgrades: number;
  /** Exchanges whose client was gone before the response was complete. */
  aborted: number;
}

/** Counts a response by the first digit of its status. */
export function countResponse(counts: HttpCounts, status: number): void {
  if (status < 300) counts.responses2xx += 1;
  else if (status < 400) counts.responses3xx += 1;
  else if (status < 500) counts.responses4xx += 1;
  else counts.responses5xx += 1;
}

// The way between the machines: what one tells is published on a channel that all of them have subscribed to. Bans are kept
// besides, for machines that come later, in a sorted set by when they end, by the clock of the Redis.

import { randomUUID } from 'node:crypto';
import type { createClient } from '@redis/client';
import {
  parseLimitsNews,
  requireKnownNames,
  WellknownError,
  type LimitsExchange,
  type LimitsExchangeEvents,
  type LimitsNews,
} from '@wellknown/core';
import { parseRedisUrl, type ConnectionOptions, type RedisLimitsOptions } from './connection-options.ts';

type Client = ReturnType<typeof createClient>;
type ClientOptions = NonNullable<Parameters<typeof createClient>[0]>;

const CONNECT_TIMEOUT_MS = 2_000;
const PING_MS = 5_000;
// A Redis that has not answered a ping by then is gone without a word. Who listens writes nothing else, so that its timer
// is not moved on; and when that one is lost, nothing more is told by the other.
const SILENCE_MS = 2 * PING_MS;
const MAX_RETRY_MS = 2_000;
/** A Redis that answers no longer: what is told beyond it is lost, as if it was not connected. */
const MAX_UNANSWERED = 1_000;
/** What was told last is waited for, but no longer. */
const CLOSE_MS = 500;

/**
 * Shares limits and bans through a Redis or a Valkey with all servers that name the same one: an option for `createServer`
 * and the like. Throws OPTION_INVALID for a URL that is none.
 */
export function redisLimits(options: RedisLimitsOptions): LimitsExchange {
  requireKnownNames('option of shared limits', options, ['url', 'password']);
  const parsed = parseRedisUrl(options);
  if (!parsed.ok) throw new WellknownError('OPTION_INVALID', `the URL ${parsed.error}`, { fault: 'local' });
  const connection = parsed.value;
  let exchange: RedisExchange | undefined;
  return {
    open(events) {
      exchange = new RedisExchange(connection, events);
      exchange.start();
    },
    tell: (news) => exchange?.tell(news) ?? false,
    close: async () => exchange?.close(),
  };
}

class RedisExchange {
  readonly #options: ConnectionOptions;
  readonly #events: LimitsExchangeEvents;
  readonly #machine = randomUUID();
  readonly #channel: string;
  readonly #bansKey: string;
  #publisher: Client | undefined;
  #subscriber: Client | undefined;
  #subscribed: Promise<void> | undefined;
  #state: 'new' | 'connected' | 'lost' | 'closed' = 'new';
  #unanswered = 0;
  #hasReadBans = false;
  #again: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions, events: LimitsExchangeEvents) {
    this.#options = options;
    this.#events = events;
    this.#channel = `${options.prefix}:limits`;
    this.#bansKey = `${options.prefix}:bans`;
  }

  start(): void {
    this.#connect().catch((error: unknown) => this.#lost(error));
  }

  async #connect(): Promise<void> {
    // Only who counts needs it: workers are given the same options.
    const redis = await import('@redis/client');
    if (this.#state === 'closed') return;
    const { username, password, database, socket } = this.#options;
    const connect = (): Client => {
      const options: ClientOptions = {
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        database,
        pingInterval: PING_MS,
        // What is late is of no use: others have counted without it.
        disableOfflineQueue: true,
        socket: {
          ...socket,
          connectTimeout: CONNECT_TIMEOUT_MS,
          socketTimeout: SILENCE_MS,
          reconnectStrategy: (retries: number) => Math.min(MAX_RETRY_MS, 50 * 2 ** Math.min(retries, 10)),
        } as ClientOptions['socket'] & object,
      };
      const client = redis.createClient(options);
      client.on('error', (error) => this.#lost(error));
      client.on('ready', () => void this.#join());
      return client;
    };
    this.#publisher = connect();
    this.#subscriber = connect();
    // Pending until it has connected, however often it has to try.
    await Promise.all([this.#publisher.connect(), this.#subscriber.connect()]);
  }

  tell(news: LimitsNews): boolean {
    const publisher = this.#publisher;
    if (publisher === undefined || this.#state !== 'connected' || this.#unanswered >= MAX_UNANSWERED) return false;
    this.#wait(publisher.publish(this.#channel, JSON.stringify({ machine: this.#machine, ...news })));
    if (news.type === 'ban') this.#wait(this.#keepBan(publisher, news));
    return true;
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#again);
    await Promise.all([closed(this.#publisher), closed(this.#subscriber)]);
  }

  #wait(command: Promise<unknown>): void {
    this.#unanswered += 1;
    command
      .catch((error: unknown) => this.#refused(error))
      .finally(() => {
        this.#unanswered -= 1;
      });
  }

  #refused(error: unknown): void {
    if (this.#state !== 'closed') this.#events.refused(error);
  }

  /** A client that has lost its Redis is ready again by itself; what a Redis refuses that is there is tried again here. */
  async #join(): Promise<void> {
    clearTimeout(this.#again);
    try {
      await this.#becameReady();
    } catch (error) {
      this.#lost(error);
      this.#tryAgain();
    }
  }

  #tryAgain(): void {
    clearTimeout(this.#again);
    if (this.#state !== 'closed') this.#again = setTimeout(() => void this.#join(), MAX_RETRY_MS);
  }

  #received(text: string): void {
    const news = parseLimitsNews(text);
    const machine = news === undefined ? undefined : machineOf(text);
    if (news === undefined || machine === undefined || machine === this.#machine || this.#state === 'closed') return;
    this.#events.received(machine, news);
  }

  async #becameReady(): Promise<void> {
    const [publisher, subscriber] = [this.#publisher, this.#subscriber];
    if (publisher?.isReady !== true || subscriber?.isReady !== true) return;
    if (this.#isSettled()) {
      if (this.#state === 'connected' && !this.#hasReadBans) await this.#readBansOrLater(publisher);
      return;
    }
    // The client subscribes again by itself when it has to connect again.
    this.#subscribed ??= subscriber.subscribe(this.#channel, (text) => this.#received(text));
    try {
      await this.#subscribed;
    } catch (error) {
      this.#subscribed = undefined;
      throw error;
    }
    if (this.#isSettled()) return;
    this.#state = 'connected';
    this.#events.connected();
    await this.#readBansOrLater(publisher);
  }

  /** News arrives without them. */
  async #readBansOrLater(publisher: Client): Promise<void> {
    try {
      await this.#readBans(publisher);
      this.#hasReadBans = true;
    } catch (error) {
      this.#refused(error);
      this.#tryAgain();
    }
  }

  #isSettled(): boolean {
    return this.#state === 'connected' || this.#state === 'closed';
  }

  #lost(error: unknown): void {
    if (this.#state === 'lost' || this.#state === 'closed') return;
    this.#state = 'lost';
    this.#hasReadBans = false;
    this.#events.lost(error);
  }

  /** By the Redis's own clock: those of machines differ. */
  async #keepBan(client: Client, { service, key, forMs }: Extract<LimitsNews, { type: 'ban' }>): Promise<void> {
    const nowMs = await timeOf(client);
    await client.zRemRangeByScore(this.#bansKey, '-inf', nowMs);
    await client.zAdd(this.#bansKey, { score: nowMs + forMs, value: JSON.stringify([service, key]) });
  }

  async #readBans(client: Client): Promise<void> {
    const nowMs = await timeOf(client);
    await client.zRemRangeByScore(this.#bansKey, '-inf', nowMs);
    for (const { value, score } of await client.zRangeWithScores(this.#bansKey, 0, -1)) {
      const news = parseLimitsNews(banText(value, score - nowMs));
      if (news !== undefined) this.#events.received('kept', news);
    }
  }
}

const banText = (member: string, forMs: number): string => {
  try {
    const [service, key] = JSON.parse(member) as unknown[];
    return JSON.stringify({ type: 'ban', service, key, forMs });
  } catch {
    return '';
  }
};

function machineOf(text: string): string | undefined {
  const { machine } = JSON.parse(text) as { readonly machine?: unknown };
  return typeof machine === 'string' ? machine : undefined;
}

async function timeOf(client: Client): Promise<number> {
  const [seconds, microseconds] = (await client.sendCommand(['TIME'])) as unknown as [string, string];
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

/** Waits for what is on its way, as long as it goes. */
async function closed(client: Client | undefined): Promise<void> {
  if (client === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
  await Promise.race([Promise.resolve(client.isReady ? client.close() : undefined).catch(() => undefined), patience]);
  clearTimeout(timer);
  try {
    client.destroy();
  } catch {
    // It has closed by itself.
  }
}

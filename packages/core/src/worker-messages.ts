// What the primary and its workers say to each other over the IPC channel of node:cluster.

import type { ServiceStatus } from './status.ts';

/** Marks our messages among any others that a program sends over the same channel. */
export const CHANNEL = 'wellknown/1';

export type FromPrimary =
  /** Carries the bound socket of a listener along. Also the answer to `room`. */
  | { readonly type: 'listen'; readonly service: number; readonly listener: number; readonly endpoint: string }
  | { readonly type: 'lease-answer'; readonly question: number; readonly granted: boolean }
  | { readonly type: 'status-question'; readonly question: number }
  | { readonly type: 'drain'; readonly graceMs: number };

export type FromWorker =
  /** The program has come to `listen()` and wants its sockets. */
  | { readonly type: 'hello' }
  | { readonly type: 'ready' }
  /** Could not start; said before the worker ends. */
  | { readonly type: 'failed'; readonly message: string }
  /** Was full, stopped listening, and has room again. */
  | { readonly type: 'room'; readonly service: number; readonly listener: number }
  | { readonly type: 'lease'; readonly service: number; readonly key: string; readonly question: number }
  | { readonly type: 'release'; readonly service: number; readonly key: string }
  | { readonly type: 'status'; readonly question: number; readonly services: readonly ServiceStatus[] };

export interface Envelope<Message> {
  readonly channel: typeof CHANNEL;
  readonly message: Message;
}

export const envelope = <Message>(message: Message): Envelope<Message> => ({ channel: CHANNEL, message });

const content = (raw: unknown): unknown =>
  typeof raw === 'object' && raw !== null && 'channel' in raw && raw.channel === CHANNEL ? (raw as Envelope<unknown>).message : undefined;

/** Our message, or undefined for somebody else's. The channel joins two copies of the same program, so its content is trusted. */
export const messageFromPrimary = (raw: unknown): FromPrimary | undefined => content(raw) as FromPrimary | undefined;
export const messageFromWorker = (raw: unknown): FromWorker | undefined => content(raw) as FromWorker | undefined;

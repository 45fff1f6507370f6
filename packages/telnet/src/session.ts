// The session as its handler sees it. Text in and out, questions, the terminal; no IAC, no options, no bytes of a
// protocol.

import type { Address, Clock, Timer } from '@wellknown/core';
import { OPTIONS } from './engine/codes.ts';
import { encodeCommand, encodeText, escapeIac } from './engine/encoder.ts';
import type { LineQueue } from './line-queue.ts';
import type { Negotiation, Side } from './engine/negotiation.ts';
import type { WindowSize } from './engine/options/naws.ts';
import type { OutputQueue } from './output-queue.ts';
import type { Terminal } from './terminal.ts';

export interface SessionEvents {
  /** The window has a new size; `session.terminal` has it too. */
  resize: WindowSize;
  /** The user wants what is running to stop (IP, BRK, ^C). What was typed ahead is already thrown away. */
  interrupt: undefined;
}

/**
 * One user on one connection. The session ends when the handler's promise settles.
 *
 * Writing resolves when there is room for more, and rejects with CONNECTION_CLOSED once the user is gone; a promise
 * that is not awaited never becomes an unhandled rejection. Reading gives undefined once no more will come, whatever
 * the reason.
 */
export interface TelnetSession {
  /** Unique in this process. */
  readonly id: number;
  readonly local: Address;
  readonly remote: Address;
  /** Resolves when the terminal's type and size are known, or after `negotiationMs` at the latest. Never rejects. */
  readonly ready: Promise<void>;
  /** What is known by now. A new value whenever something changes. */
  readonly terminal: Terminal;
  /** Aborted when the connection is no more: pass it to whatever runs on the user's behalf. */
  readonly signal: AbortSignal;
  /**
   * Aborted when the server begins to drain. A handler that waits for a line does not need it: the user is told, and
   * the wait ends with undefined.
   */
  readonly draining: AbortSignal;
  /** Writes a line: the text and a line end. */
  print(text?: string): Promise<void>;
  /** Writes text as it is, with `\n` as the line end, or raw bytes. */
  write(data: string | Uint8Array): Promise<void>;
  /** Writes text that waits for an answer, marked as a prompt for clients that agreed to such marks (EOR, GA). */
  prompt(text: string): Promise<void>;
  /** The next line without its end; undefined when no more will come. One reader at a time. */
  readLine(): Promise<string | undefined>;
  /** Every line until the end; with `prompt`, asks for each. */
  lines(options?: { readonly prompt?: string }): AsyncIterableIterator<string>;
  /** `prompt` and `readLine`. */
  ask(question: string): Promise<string | undefined>;
  /**
   * `ask`, with the client's echo off: it is told that we echo (WILL ECHO), and we don't. A client that refuses shows
   * what is typed. The echo comes back in any case.
   */
  askPassword(question: string): Promise<string | undefined>;
  /** Calls `listener` at each event. Returns what takes it off again. */
  on<Event extends keyof SessionEvents>(event: Event, listener: (detail: SessionEvents[Event]) => void): () => void;
}

export interface SessionParts {
  readonly id: number;
  readonly local: Address;
  readonly remote: Address;
  readonly clock: Clock;
  readonly input: LineQueue;
  readonly output: OutputQueue;
  readonly negotiation: Negotiation;
  readonly ready: Promise<void>;
  readonly draining: () => AbortSignal;
  readonly terminal: () => Terminal;
  /** Asks for an option and sends what there is to send. */
  readonly request: (side: Side, option: number, wanted: boolean) => void;
  /** Goes on without the confirmation of an option that we stopped. */
  readonly assumeOff: (side: Side, option: number) => void;
}

/** The session, and what its connection tells it. */
export interface SessionControl {
  readonly session: TelnetSession;
  emit<Event extends keyof SessionEvents>(event: Event, detail: SessionEvents[Event]): void;
  /** The server drains: the user is told, and no more lines come, as soon as the handler wants to read one. */
  drain(): void;
  /** The connection is no more. */
  closed(): void;
}

type Listeners = { readonly [Event in keyof SessionEvents]: Set<(detail: SessionEvents[Event]) => void> };

// A client that obeys WONT ECHO without saying so must not keep the next password waiting for its answer, which takes
// one round trip.
const UNCONFIRMED_MS = 1000;
const { ECHO, EOR, SGA, BINARY } = OPTIONS;
const DRAIN_NOTICE = '\nThis server is going down.\n';

export function createTelnetSession(parts: SessionParts): SessionControl {
  const { input, output, negotiation, clock } = parts;
  const listeners: Listeners = { resize: new Set(), interrupt: new Set() };
  let abort: AbortController | undefined;
  let over = false;
  let draining = false;
  let unconfirmed: Timer | undefined;

  const write = (data: string | Uint8Array): Promise<void> => {
    const bytes =
      typeof data === 'string' ? encodeText(data, { binary: negotiation.isOn('us', BINARY.code) }) : escapeIac(data);
    output.push(bytes);
    const room = output.room();
    // A caller that awaits still sees the rejection; one that does not must not take the process down.
    room.catch(() => undefined);
    return room;
  };

  const announceDrain = (): void => {
    void write(DRAIN_NOTICE);
    input.discard();
    input.end();
  };

  const readLine = (): Promise<string | undefined> => {
    if (draining) announceDrain();
    return input.next();
  };

  const prompt = (text: string): Promise<void> => {
    const room = write(text);
    if (negotiation.isOn('us', EOR.code)) output.push(encodeCommand('EOR'));
    // GA is the line turnaround of a half-duplex terminal (RFC 854); of today's clients only those for multi-user
    // worlds use it.
    else if (parts.terminal().client !== undefined && !negotiation.isOn('us', SGA.code))
      output.push(encodeCommand('GA'));
    return room;
  };

  const ask = async (question: string): Promise<string | undefined> => {
    await prompt(question);
    return readLine();
  };

  const restoreEcho = (): void => {
    // The client did not show the Enter either, so the cursor is still behind the question.
    if (negotiation.isOn('us', ECHO.code)) void write('\n');
    parts.request('us', ECHO.code, false);
    unconfirmed?.cancel();
    unconfirmed = over ? undefined : clock.after(UNCONFIRMED_MS, () => parts.assumeOff('us', ECHO.code));
  };

  const session: TelnetSession = {
    id: parts.id,
    local: parts.local,
    remote: parts.remote,
    ready: parts.ready,
    get terminal() {
      return parts.terminal();
    },
    get signal() {
      abort ??= new AbortController();
      if (over) abort.abort();
      return abort.signal;
    },
    get draining() {
      return parts.draining();
    },
    print: (text = '') => write(`${text}\n`),
    write,
    prompt,
    readLine,
    async *lines(options) {
      const next = (): Promise<string | undefined> =>
        options?.prompt === undefined ? readLine() : ask(options.prompt);
      for (let line = await next(); line !== undefined; line = await next()) yield line;
    },
    ask,
    async askPassword(question) {
      parts.request('us', ECHO.code, true);
      try {
        return await ask(question);
      } finally {
        restoreEcho();
      }
    },
    on(event, listener) {
      listeners[event].add(listener);
      return () => void listeners[event].delete(listener);
    },
  };

  return {
    session,
    emit(event, detail) {
      for (const listener of listeners[event]) listener(detail);
    },
    drain() {
      draining = true;
      if (input.awaited) announceDrain();
    },
    closed() {
      over = true;
      unconfirmed?.cancel();
      abort?.abort();
    },
  };
}

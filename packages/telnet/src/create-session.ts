// A session over the parts of its connection.

import type { Address } from '@wellknown/core';
import type { Answers, OptionSide } from './answers.ts';
import { cleanClientText } from './engine/client-text.ts';
import { OPTIONS } from './engine/codes.ts';
import { encodeCommand, escapeIac, withNetworkEnds } from './engine/encoder.ts';
import type { Charset } from './engine/options/charset.ts';
import type { Input } from './input.ts';
import type { ModeControl } from './mode.ts';
import type { Opening } from './opening.ts';
import type { OutputQueue } from './output-queue.ts';
import type { PeerOptions } from './peer-options.ts';
import type { BinaryDirections, Emit, SessionEvents, SessionGmcp, SessionMsdp, TelnetSession } from './session.ts';
import type { SessionHub } from './session-hub.ts';
import type { Terminal } from './terminal.ts';
import { textEncoding } from './text-encoding.ts';

export interface SessionParts {
  readonly id: number;
  readonly local: Address;
  readonly remote: Address;
  readonly input: Input;
  readonly output: OutputQueue;
  readonly options: PeerOptions;
  readonly answers: Answers;
  readonly mode: ModeControl;
  readonly opening: Opening;
  readonly hub: SessionHub;
  readonly gmcp: SessionGmcp;
  readonly msdp: SessionMsdp;
  readonly draining: () => AbortSignal;
  readonly terminal: () => Terminal;
  readonly setEncoding: (encoding: Charset | undefined) => void;
  /** Drops what waits to be sent, and says so. */
  readonly discardOutput: () => void;
}

/** The session, and what its connection tells it. */
export interface SessionControl {
  readonly session: TelnetSession;
  readonly emit: Emit;
  /** The server drains: the user is told, and no more lines come, as soon as the handler wants to read one. */
  drain(): void;
  /** The connection is no more. */
  closed(): void;
}

/** Made when something listens: most sessions listen to little, and there are thousands of them. */
type Listeners = { -readonly [Event in keyof SessionEvents]?: Set<(detail: SessionEvents[Event]) => void> };

const { ECHO, EOR, SGA, BINARY } = OPTIONS;
const MAX_NAME_CHARACTERS = 64;
const DRAIN_NOTICE = '\nThis server is going down.\n';

export function createTelnetSession(parts: SessionParts): SessionControl {
  const { input, output, options, mode } = parts;
  const listeners: Listeners = {};
  let abort: AbortController | undefined;
  let over = false;
  let name = '';
  let draining = false;

  const listenersOf = <Event extends keyof SessionEvents>(
    event: Event,
  ): Set<(detail: SessionEvents[Event]) => void> => {
    const those = listeners[event] ?? new Set<(detail: SessionEvents[Event]) => void>();
    listeners[event] = those as Listeners[Event];
    return those;
  };

  const encode = (text: string): Uint8Array =>
    textEncoding(parts.terminal().encoding).encode(withNetworkEnds(text, options.isOn('us', BINARY.code)));

  const write = (data: string | Uint8Array): Promise<void> => {
    output.push(escapeIac(typeof data === 'string' ? encode(data) : data));
    const room = output.room();
    // A caller that awaits still sees the rejection; one that does not must not take the process down.
    room.catch(() => undefined);
    return room;
  };

  const announceDrain = (): void => {
    void write(DRAIN_NOTICE);
    input.close();
  };

  const readLine = (): Promise<string | undefined> => {
    if (draining) announceDrain();
    return input.readLine();
  };

  const prompt = (text: string): Promise<void> => {
    const room = write(text);
    if (options.isOn('us', EOR.code)) output.push(encodeCommand('EOR'));
    // GA is the line turnaround of a half-duplex terminal (RFC 854); of today's clients only those for multi-user
    // worlds use it.
    else if (parts.terminal().client !== undefined && !options.isOn('us', SGA.code)) output.push(encodeCommand('GA'));
    return room;
  };

  const askPassword = async (question: string): Promise<string | undefined> => {
    mode.hideEcho();
    try {
      await prompt(question);
      return await readLine();
    } finally {
      // The client did not show the Enter either, so the cursor is still behind the question.
      if (options.isOn('us', ECHO.code)) void write('\n');
      mode.showEcho();
    }
  };

  const ask = async (question: string, how?: { readonly mask?: boolean }): Promise<string | undefined> => {
    if (how?.mask === true) return askPassword(question);
    await prompt(question);
    return readLine();
  };

  const binary = (): BinaryDirections => ({
    receive: options.isOn('peer', BINARY.code),
    transmit: options.isOn('us', BINARY.code),
  });

  const session: TelnetSession = {
    id: parts.id,
    local: parts.local,
    remote: parts.remote,
    get name() {
      return name;
    },
    set name(given) {
      name = cleanClientText(given, MAX_NAME_CHARACTERS);
    },
    sessions: () => parts.hub.list(),
    get key() {
      return parts.hub.keyOf(session);
    },
    broadcast: (text) => parts.hub.broadcast(text, session),
    ready: parts.opening.ready,
    settled: parts.opening.settled,
    get terminal() {
      return parts.terminal();
    },
    get term() {
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
    get mode() {
      return mode.mode;
    },
    setMode: (wanted) => mode.set(wanted),
    get binary() {
      return binary();
    },
    async setBinary({ receive, transmit }) {
      const asked: OptionSide[] = [];
      for (const [side, wanted] of [
        ['peer', receive],
        ['us', transmit],
      ] as const) {
        if (wanted === undefined) continue;
        options.request(side, BINARY.code, wanted);
        asked.push([side, BINARY.code]);
      }
      await parts.answers.settled(asked);
      return binary();
    },
    setEncoding: parts.setEncoding,
    print: (text = '') => write(`${text}\n`),
    write,
    prompt,
    discardOutput: parts.discardOutput,
    readLine,
    async *lines(how) {
      const next = (): Promise<string | undefined> => (how?.prompt === undefined ? readLine() : ask(how.prompt));
      for (let line = await next(); line !== undefined; line = await next()) yield line;
    },
    ask,
    askPassword,
    gmcp: parts.gmcp,
    msdp: parts.msdp,
    raw: () => input.openRaw(),
    on(event, listener) {
      const those = listenersOf(event);
      those.add(listener);
      return () => void those.delete(listener);
    },
  };

  return {
    session,
    emit(event, detail) {
      const those = listeners[event];
      if (those === undefined) return false;
      for (const listener of those) listener(detail);
      return those.size > 0;
    },
    drain() {
      draining = true;
      if (input.awaited) announceDrain();
    },
    closed() {
      over = true;
      abort?.abort();
    },
  };
}

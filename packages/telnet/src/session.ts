// The session as its handler sees it. Text in and out, questions, the terminal; no IAC, no options, no bytes of a
// protocol.

import type { Address } from '@wellknown/core';
import type { Charset } from './engine/options/charset.ts';
import type { GmcpMessage } from './engine/options/gmcp.ts';
import type { MsdpMessage, MsdpValue } from './engine/options/msdp.ts';
import type { WindowSize } from './engine/options/naws.ts';
import type { RawInput } from './input.ts';
import type { Mode } from './mode.ts';
import type { Terminal } from './terminal.ts';

export interface SessionEvents {
  /** The window has a new size; `session.terminal` has it too. */
  resize: WindowSize;
  /**
   * The user wants what is running to stop: IP, ABORT, or in line mode ^C. What was typed ahead and the output that
   * waited are already thrown away. While the input is read raw, the key (^C, ^\) is among the bytes besides, and a ^C
   * that the client sends as a byte is there alone.
   */
  interrupt: undefined;
  /** BRK: the Break key of a terminal. Without a listener it is an `interrupt`. */
  break: undefined;
  /** SUSP. While the input is read raw, ^Z is among the bytes besides. */
  suspend: undefined;
  /** The user asks whether we are there. Without a listener the answer is `[Yes]`. */
  ayt: undefined;
  /** Something about the terminal has become known, or has changed; `session.terminal` has it too. */
  terminal: Terminal;
  /** A message by GMCP. Its data is whatever the client sent: check it. */
  gmcp: GmcpMessage;
  /** A variable by MSDP. */
  msdp: MsdpMessage;
  /** Another mode is in force: at our wish, or because the user has changed it at the client. */
  mode: Mode;
}

/** Tells the listeners of an event. True when there was one. */
export type Emit = <Event extends keyof SessionEvents>(event: Event, detail: SessionEvents[Event]) => boolean;

/** GMCP with one client. */
export interface SessionGmcp {
  /** The client has agreed to it. */
  readonly enabled: boolean;
  /** The modules that the client says it supports, in lower case, with their versions. */
  readonly modules: ReadonlyMap<string, number>;
  /**
   * Sends a message. False, and nothing is sent, when the client has not agreed, the name is none, or the data is nothing
   * that JSON can say.
   */
  send(name: string, data?: unknown): boolean;
}

/** MSDP with one client. */
export interface SessionMsdp {
  readonly enabled: boolean;
  /** Sends a variable; false when the client has not agreed. */
  send(name: string, value: MsdpValue): boolean;
}

/** What others may know of a session. Client strings in it are cleaned. */
export interface SessionInfo {
  /** Unique over all workers, for as long as the session lasts. */
  readonly key: string;
  /** Set by the handler of the session; empty until then. */
  readonly name: string;
  /** The client's address, as text; `unix` for a local one. */
  readonly remote: string;
  readonly terminalType: string;
  readonly connectedForMs: number;
}

/** Whether all byte values pass in a direction (RFC 856). */
export interface BinaryDirections {
  /** From the client to us. */
  readonly receive: boolean;
  /** From us to the client. */
  readonly transmit: boolean;
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
  /** Who the user is, once the handler has set it: for the list of sessions and for logs. Cleaned, 64 characters at most. */
  name: string;
  /**
   * Resolves when the client has told its type and size, or has been silent for `negotiationMs`: an answer is waited for
   * as long as the one before it took, and half as much again. Never rejects.
   */
  readonly ready: Promise<void>;
  /**
   * Resolves when the type and size are known or refused, or after `maxOpeningMs`: for a handler that would rather wait
   * than draw anew at a `terminal` event. Never rejects.
   */
  readonly settled: Promise<void>;
  /** What is known by now. A new value whenever something changes. */
  readonly terminal: Terminal;
  /** Short for `terminal`. */
  readonly term: Terminal;
  /** Aborted when the connection is no more: pass it to whatever runs on the user's behalf. */
  readonly signal: AbortSignal;
  /**
   * Aborted when the server begins to drain. A handler that waits for a line does not need it: the user is told, and
   * the wait ends with undefined.
   */
  readonly draining: AbortSignal;
  /** Who edits lines and echoes: the client, or we. */
  readonly mode: Mode;
  /**
   * Asks the client for a mode and resolves with the one in force once it has answered, after two seconds if it does
   * not. An answer that comes later counts, and is a `mode` event.
   */
  setMode(mode: Mode): Promise<Mode>;
  /** The directions in which BINARY is agreed. */
  readonly binary: BinaryDirections;
  /** Asks for BINARY, or for its end, in the directions that are named. Resolves as `setMode` does. */
  setBinary(directions: Partial<BinaryDirections>): Promise<BinaryDirections>;
  /**
   * Says what text is in, in both directions, whatever the client has told; undefined leaves it to the client
   * (`terminal.encoding`).
   */
  setEncoding(encoding: Charset | undefined): void;
  /** Writes a line: the text and a line end. */
  print(text?: string): Promise<void>;
  /** Writes text as it is, with `\n` as the line end, or raw bytes, of which only IAC is doubled. */
  write(data: string | Uint8Array): Promise<void>;
  /** Writes text that waits for an answer, marked as a prompt for clients that agreed to such marks (EOR, GA). */
  prompt(text: string): Promise<void>;
  /** Throws away the output that waits for the client, and marks the place with DM (RFC 854, Synch). */
  discardOutput(): void;
  /** The next line without its end; undefined when no more will come. One reader at a time. */
  readLine(): Promise<string | undefined>;
  /** Every line until the end; with `prompt`, asks for each. */
  lines(options?: { readonly prompt?: string }): AsyncIterableIterator<string>;
  /** `prompt` and `readLine`. With `mask`, what is typed is not shown: see `askPassword`. */
  ask(question: string, options?: { readonly mask?: boolean }): Promise<string | undefined>;
  /**
   * `ask`, with the client's echo off: it is told that we echo (WILL ECHO), and we don't. A client that refuses shows
   * what is typed. The echo comes back in any case.
   */
  askPassword(question: string): Promise<string | undefined>;
  /**
   * The input as bytes, in whatever mode, until it is closed: every key as the client sends it, Enter as one CR unless
   * the client sends BINARY. Commands that stand for keys are among them: IP as ^C, EC as DEL, EL as ^U, EOF as ^D,
   * SUSP as ^Z, ABORT as ^\. Bytes that are not read make the client wait. Throws WRONG_STATE while the input is being
   * read already.
   */
  raw(): RawInput;
  /** GMCP with this client; offered where the server has `gmcp` on. */
  readonly gmcp: SessionGmcp;
  /** MSDP with this client; offered where the server has `msdp` on. */
  readonly msdp: SessionMsdp;
  /** All sessions of this server, over all of its workers, this one included. */
  sessions(): Promise<readonly SessionInfo[]>;
  /** The key of this session in that list. */
  readonly key: string;
  /** Prints a line, of 16384 characters at most, to every other session of this server, over all workers. */
  broadcast(text: string): void;
  /** Calls `listener` at each event. Returns what takes it off again. */
  on<Event extends keyof SessionEvents>(event: Event, listener: (detail: SessionEvents[Event]) => void): () => void;
}

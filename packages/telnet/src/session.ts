// The session as its handler sees it. Text in and out, questions, the terminal; no IAC, no options, no bytes of a
// protocol.

import type { Address } from '@wellknown/core';
import type { Charset } from './engine/options/charset.ts';
import type { GmcpMessage } from './engine/options/gmcp.ts';
import type { MsdpMessage } from './engine/options/msdp.ts';
import type { WindowSize } from './engine/options/naws.ts';
import type { ReadOptions } from './editor/line-reader.ts';
import type { RawInput } from './input.ts';
import type { Key } from './keys/key.ts';
import type { Mode } from './mode.ts';
import type { SessionGmcp, SessionMsdp } from './mud.ts';
import type { ProgramStatus } from './program/program-io.ts';
import type { SpawnOptions } from './program/spawn-options.ts';
import type { RecordOptions, RecordingSink } from './recording/recorder.ts';
import type { Terminal } from './terminal.ts';
import type { TtyInput, TtyOutput } from './tty/tty-streams.ts';

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

/** An option that is on. */
export interface AgreedOption {
  /** `us`: our side does it. `peer`: the client does. */
  readonly side: 'us' | 'peer';
  /** By the name its RFC or its users give it, or its number. */
  readonly option: string;
}

/** Whether all byte values pass in a direction (RFC 856). */
export interface BinaryDirections {
  /** From the client to us. */
  readonly receive: boolean;
  /** From us to the client. */
  readonly transmit: boolean;
}

export interface AskOptions extends Omit<ReadOptions, 'prompt' | 'mask'> {
  readonly mask?: boolean | string;
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
  /** The options that are on, in the order of their numbers. */
  readonly agreed: readonly AgreedOption[];
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
  /**
   * Every line until the end; with `prompt`, asks for each. In character mode we edit the lines, and they have a history
   * that ends with the loop unless one is given, and completion and help where they are given; what is written meanwhile
   * stands above the line. In line mode the client edits.
   */
  lines(options?: Omit<ReadOptions, 'mask'>): AsyncIterableIterator<string>;
  /**
   * `prompt` and `readLine`. With `mask`, what is typed is not shown: see `askPassword`. A text is shown for each
   * character where we edit the line.
   */
  ask(question: string, options?: AskOptions): Promise<string | undefined>;
  /**
   * `ask`, with the client's echo off: it is told that we echo (WILL ECHO), and we don't. A client that refuses shows
   * what is typed. The echo comes back in any case. Recordings pause meanwhile.
   */
  askPassword(question: string): Promise<string | undefined>;
  /**
   * Every key until the end, in character mode as it is hit; a client in line mode sends those of a line together. Leave
   * the loop to read lines again.
   */
  keys(): AsyncIterableIterator<Key>;
  /**
   * Runs a program with the session as its terminal, and resolves once it has ended and its output is written. `file` is
   * a path; no shell reads it or `args`. When the client goes, the program is hung up, and killed five seconds later.
   * Rejects when it can't be started.
   */
  spawn(file: string, args?: readonly string[], options?: SpawnOptions): Promise<ProgramStatus>;
  /**
   * Records what is on the client's screen, as an asciicast (version 2), from now on until the session ends or the function
   * that it returns is called: what is written, and the lines of a client in line mode as they are read. Masked questions
   * are not in it. `sink` is a stream or anything that takes text; it is not ended. A sink that fails or is
   * too slow costs the recording, never the session.
   */
  record(sink: RecordingSink, options?: RecordOptions): () => void;
  /**
   * The session as the standard input and output of a terminal program, for node:readline, node:repl and what is made
   * for terminals. In character mode they are terminals (`isTTY`, `columns`, `setRawMode`, 'resize'); in line mode they
   * are not. Nothing else may read the session while they do.
   */
  readonly stdin: TtyInput;
  readonly stdout: TtyOutput;
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

// The commands of one control connection that wait for their turn: a few decoded, the rest as bytes, and when there are
// many of those too the connection is paused.

import type { Connection, Result } from '@wellknown/core';
import type { Charset } from './charset.ts';
import { parseCommand, type Command } from './command-parser.ts';
import { LineDecoder } from './line-decoder.ts';
import type { Reply } from './replies.ts';

export interface QueuedCommand {
  readonly command: Result<Command, Reply>;
  /** It is an ABOR that has cut a transfer short, while it waited for its turn to be answered. */
  hasAborted: boolean;
}

// A Telnet client asks for some ten options. Each is refused once it comes; who goes on and on is not answered any more.
const MAX_REFUSALS = 32;

export class CommandQueue {
  readonly #connection: Connection;
  readonly #decoder: LineDecoder;
  readonly #maxQueued: number;
  readonly #charset: Charset;
  readonly #queue: QueuedCommand[] = [];
  #isPaused = false;
  #refusals = 0;

  constructor(
    connection: Connection,
    limits: { readonly maxLineBytes: number; readonly maxQueuedCommands: number; readonly charset: Charset },
  ) {
    this.#charset = limits.charset;
    this.#connection = connection;
    this.#decoder = new LineDecoder({
      maxLineBytes: limits.maxLineBytes,
      // lftp leaves Telnet out under TLS; most others never had it.
      isPlain: () => connection.secure !== undefined,
    });
    this.#maxQueued = limits.maxQueuedCommands;
  }

  push(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
  }

  /** Decodes what there is room for, and pauses the connection while there is none. */
  fill(): void {
    while (this.#queue.length < this.#maxQueued) {
      const line = this.#decoder.next();
      if (line === undefined) break;
      if (line.type === 'refusal') this.#refuse(line.bytes);
      else this.#queue.push({ command: parseCommand(line, this.#charset), hasAborted: false });
    }
    const hasBacklog = this.#decoder.pendingBytes > 0;
    if (hasBacklog === this.#isPaused) return;
    this.#isPaused = hasBacklog;
    if (hasBacklog) this.#connection.pause();
    else this.#connection.resume();
  }

  #refuse(bytes: Uint8Array): void {
    this.#refusals += 1;
    if (this.#refusals <= MAX_REFUSALS) this.#connection.send(bytes);
  }

  get first(): QueuedCommand | undefined {
    return this.#queue[0];
  }

  shift(): void {
    this.#queue.shift();
  }

  find(isWanted: (item: QueuedCommand) => boolean): QueuedCommand | undefined {
    return this.#queue.find(isWanted);
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  get hasSeveral(): boolean {
    return this.#queue.length > 1;
  }

  /** Whether the peer has sent anything that was not answered: bytes of a line, or whole lines. */
  get unreadBytes(): number {
    return this.#queue.length + this.#decoder.heldBytes;
  }

  clear(): void {
    this.#queue.length = 0;
  }
}

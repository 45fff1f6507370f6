// How a session comes to its end: its handler has settled, or something has to be said last.

import type { CloseReason, Connection, Logger } from '@wellknown/core';
import { encodeText } from './engine/encoder.ts';
import type { OutputQueue } from './output-queue.ts';
import type { Transmitter } from './transmitter.ts';

export interface EndingParts {
  readonly connection: Connection;
  readonly transmitter: Transmitter;
  readonly output: OutputQueue;
  readonly log: Logger;
}

export interface Ending {
  /** Says the last word, past what waits, and closes. */
  endWith(word: Uint8Array, reason?: CloseReason): void;
  /** Runs the handler, and ends the connection when it settles. Never rejects. */
  run(handler: () => void | Promise<void>): Promise<void>;
}

const FAILED = encodeText('\nThe session has failed. Goodbye.\n');

export function createEnding({ connection, transmitter, output, log }: EndingParts): Ending {
  const endWith = (word: Uint8Array, reason?: CloseReason): void => {
    if (word.length > 0) transmitter.send(word);
    transmitter.finish(() => connection.end(undefined, 'latin1', reason));
  };
  return {
    endWith,
    async run(handler) {
      try {
        await handler();
        await output.room();
        endWith(new Uint8Array(0));
      } catch (error) {
        // A connection that closed in the middle of a write is no fault of the handler.
        if (connection.state === 'closed' || connection.state === 'lingering') return;
        log.error({ err: error, connection: connection.id }, 'the telnet handler failed');
        endWith(FAILED, 'handler-failed');
      }
    },
  };
}

// The last step of what is sent: as it is, or compressed from a marker on (MCCP2, option 86).
//
// Compression is asynchronous, so three things need care. The marker leaves in one write with the first compressed
// bytes: some clients take what else comes in its packet for compressed. What is sent while a stream ends waits for its
// end. And a slow client must be felt through the compressor.

import { constants, createDeflate, type Deflate } from 'node:zlib';
import { OPTIONS } from './engine/codes.ts';
import { encodeSubnegotiation } from './engine/encoder.ts';

export interface TransmitterParts {
  /** Hands bytes to the connection; false when it wants no more for now. */
  readonly send: (bytes: Uint8Array) => boolean;
  /** There is room again after `send` of this transmitter returned false. */
  readonly hasRoom: () => void;
  readonly failed: (error: Error) => void;
}

export interface Transmitter {
  /** Sends, in order. False when no more is wanted for now. */
  send(bytes: Uint8Array): boolean;
  /** The connection has room again. */
  drained(): void;
  /** From here on all is compressed, behind the marker that says so. */
  compress(): void;
  /** Ends the compressed stream; what comes then is plain again. */
  stopCompressing(): void;
  /** Calls `done` once all that was sent has gone to the connection, a compressed stream with its end. */
  finish(done: () => void): void;
  close(): void;
}

const MARKER = encodeSubnegotiation(OPTIONS.MCCP2.code, new Uint8Array(0));
// 32 KiB for each session instead of 256: (1 << (windowBits + 2)) + (1 << (memLevel + 9)). Text compresses as well.
const DEFLATE = { windowBits: 12, memLevel: 5, level: 6 };

type State =
  | { readonly at: 'plain' }
  | { readonly at: 'compressing'; readonly deflate: Deflate }
  /** `held` is what is to follow the end of the stream. */
  | { readonly at: 'ending'; readonly deflate: Deflate; readonly held: Uint8Array[] };

export function createTransmitter({ send, hasRoom, failed }: TransmitterParts): Transmitter {
  let state: State = { at: 'plain' };
  let isBlocked = false;
  let waiting: (() => void)[] = [];

  const pass = (bytes: Uint8Array): boolean => {
    isBlocked = !send(bytes);
    return !isBlocked;
  };
  const start = (): Deflate => {
    const deflate = createDeflate(DEFLATE);
    let marker: Uint8Array | undefined = MARKER;
    deflate.on('data', (bytes: Buffer) => {
      const whole = marker === undefined ? bytes : Buffer.concat([marker, bytes]);
      marker = undefined;
      if (!pass(whole)) deflate.pause();
    });
    deflate.on('drain', () => {
      if (!isBlocked) hasRoom();
    });
    deflate.on('end', ended);
    deflate.on('error', failed);
    // Brings out the head of the stream, and with it the marker.
    deflate.flush(constants.Z_SYNC_FLUSH);
    return deflate;
  };
  const ended = (): void => {
    const held = state.at === 'ending' ? state.held : [];
    state = { at: 'plain' };
    for (const bytes of held) pass(bytes);
    const done = waiting;
    waiting = [];
    for (const each of done) each();
    if (!isBlocked) hasRoom();
  };
  const stop = (): void => {
    if (state.at !== 'compressing') return;
    const { deflate } = state;
    state = { at: 'ending', deflate, held: [] };
    deflate.end();
  };

  return {
    send(bytes) {
      switch (state.at) {
        case 'plain':
          return pass(bytes);
        case 'compressing': {
          const { deflate } = state;
          const hasMore = deflate.write(bytes);
          // Each piece comes out at once: somebody waits for it.
          deflate.flush(constants.Z_SYNC_FLUSH);
          return hasMore;
        }
        case 'ending':
          state.held.push(bytes);
          return false;
      }
    },
    drained() {
      isBlocked = false;
      if (state.at === 'plain') {
        hasRoom();
        return;
      }
      state.deflate.resume();
      if (state.at === 'compressing' && !state.deflate.writableNeedDrain) hasRoom();
    },
    compress() {
      if (state.at === 'plain') state = { at: 'compressing', deflate: start() };
    },
    stopCompressing: stop,
    finish(done) {
      stop();
      if (state.at === 'plain') done();
      else waiting.push(done);
    },
    close() {
      if (state.at !== 'plain') state.deflate.destroy();
      state = { at: 'plain' };
      waiting = [];
    },
  };
}

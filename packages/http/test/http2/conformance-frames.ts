// What RFC 9113 says of frames and streams, one row for each sentence that can be tried from outside. Clauses of its
// sections 4 to 7; those on messages and on HPACK are in conformance-messages.ts. Of PRIORITY, which is deprecated, the
// nghttp2 of Node 24 looks at the length alone: so do these.

import { FLAG, frame, FRAME, get, GET_BLOCK, literal, POST_BLOCK } from './raw-http2.ts';

export const ERROR = {
  protocol: 1,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  compression: 9,
} as const;

/**
 * What becomes of it. `answered`: the request on stream 1 has its response. `goes-on`: nothing but that PINGs are still
 * answered. The errors are told by a code; one of a stream may be made one of the connection (§5.4.1).
 */
export type Outcome =
  | { readonly at: 'answered' | 'goes-on' }
  | { readonly at: 'connection-error' | 'stream-error'; readonly codes: readonly number[] };

export interface ConformanceCase {
  readonly clause: string;
  readonly what: string;
  /** After the preface and SETTINGS. What has come by then is read before the next piece is sent. */
  readonly send: readonly Buffer[];
  readonly outcome: Outcome;
  /** What nghttp2 or Node do in its place, and why that is as good. */
  readonly instead?: { readonly outcome: Outcome; readonly why: string };
}

export const ANSWERED: Outcome = { at: 'answered' };
export const GOES_ON: Outcome = { at: 'goes-on' };
export const connectionError = (...codes: number[]): Outcome => ({ at: 'connection-error', codes });
export const streamError = (...codes: number[]): Outcome => ({ at: 'stream-error', codes });
export const all = (...frames: Buffer[]): readonly Buffer[] => [Buffer.concat(frames)];

const { endHeaders, endStream, ack }: Readonly<Record<keyof typeof FLAG, number>> = FLAG;
const PADDED = 0x08;
const PRIORITY = 0x20;
const CANCEL = 8;
const UNKNOWN_TYPE = 0x16;
const MAX_WINDOW = 0x7fff_ffff;
const DEFAULT_MAX_FRAME_BYTES = 16_384;

const open = (streamId: number, flags = 0): Buffer => frame(FRAME.headers, endHeaders | flags, streamId, POST_BLOCK);
const data = (streamId: number, flags = endStream, content = 'test'): Buffer =>
  frame(FRAME.data, flags, streamId, Buffer.from(content));
const numbers = (...values: readonly (readonly [bytes: number, value: number])[]): Buffer =>
  Buffer.concat(
    values.map(([bytes, value]) => {
      const buffer = Buffer.alloc(bytes);
      buffer.writeUIntBE(value, 0, bytes);
      return buffer;
    }),
  );
const settings = (...values: readonly (readonly [id: number, value: number])[]): Buffer =>
  frame(FRAME.settings, 0, 0, Buffer.concat(values.map(([id, value]) => numbers([2, id], [4, value]))));
const windowUpdate = (streamId: number, increment: number): Buffer =>
  frame(FRAME.windowUpdate, 0, streamId, numbers([4, increment]));
const priority = (streamId: number, dependsOn: number, weight = 15): Buffer =>
  frame(FRAME.priority, 0, streamId, numbers([4, dependsOn], [1, weight]));
const reset = (streamId: number, code = CANCEL): Buffer => frame(FRAME.rstStream, 0, streamId, numbers([4, code]));
const goaway = (streamId: number, code: number): Buffer => frame(FRAME.goaway, 0, streamId, numbers([4, 0], [4, code]));
const ping = (flags = 0, streamId = 0, bytes = 8): Buffer => frame(FRAME.ping, flags, streamId, Buffer.alloc(bytes));
const continuation = (streamId: number, flags = endHeaders, block = literal('x', 'y')): Buffer =>
  frame(FRAME.continuation, flags, streamId, block);
const head = (streamId: number, flags = endHeaders | endStream, block: Uint8Array = GET_BLOCK): Buffer =>
  frame(FRAME.headers, flags, streamId, block);
/** The same frame with the reserved bit of its stream id set. */
const withReservedBit = (given: Buffer): Buffer => {
  const copy = Buffer.from(given);
  copy[5] = (copy[5] ?? 0) | 0x80;
  return copy;
};

const row = (
  clause: string,
  what: string,
  send: readonly Buffer[],
  outcome: Outcome,
  instead?: ConformanceCase['instead'],
): ConformanceCase => ({ clause, what, send, outcome, ...(instead !== undefined && { instead }) });

// nghttp2 keeps no record of streams that are over: what was under way when it reset one would look the same.
const IGNORED = { outcome: GOES_ON, why: 'may have been sent before the end of the stream was known' };
const IGNORED_ANSWERED = { ...IGNORED, outcome: ANSWERED };

export const FRAME_CASES: readonly ConformanceCase[] = [
  row(
    '4.1',
    'a frame of an unknown type is ignored',
    all(frame(UNKNOWN_TYPE, 0, 0, Buffer.alloc(8)), get(1)),
    ANSWERED,
  ),
  row('4.1', 'flags that a type does not define are ignored', all(ping(0x16), get(1)), ANSWERED),
  row('4.1', 'the reserved bit is ignored', all(withReservedBit(ping()), get(1)), ANSWERED),
  row(
    '4.2',
    'DATA as large as a frame may be is taken',
    all(open(1), data(1, endStream, 'x'.repeat(DEFAULT_MAX_FRAME_BYTES))),
    ANSWERED,
  ),
  row(
    '4.2',
    'DATA one byte larger',
    all(open(1), data(1, endStream, 'x'.repeat(DEFAULT_MAX_FRAME_BYTES + 1))),
    streamError(ERROR.frameSize),
  ),
  row(
    '4.2',
    'HEADERS one byte larger',
    all(head(1, endHeaders | endStream, Buffer.alloc(DEFAULT_MAX_FRAME_BYTES + 1))),
    connectionError(ERROR.frameSize),
  ),
  row(
    '4.3',
    'PRIORITY within a header section',
    all(head(1, endStream), priority(1, 0)),
    connectionError(ERROR.protocol),
  ),
  row('4.3', 'HEADERS of another stream within one', all(head(1, endStream), head(3)), connectionError(ERROR.protocol)),

  row('5.1', 'idle: DATA', all(data(1)), connectionError(ERROR.protocol)),
  row('5.1', 'idle: RST_STREAM', all(reset(1)), connectionError(ERROR.protocol)),
  row('5.1', 'idle: WINDOW_UPDATE', all(windowUpdate(1, 100)), connectionError(ERROR.protocol)),
  row('5.1', 'idle: CONTINUATION', all(continuation(1)), connectionError(ERROR.protocol)),
  row('5.1', 'idle: PRIORITY', all(priority(1, 0), get(1)), ANSWERED),
  row('5.1', 'half-closed: DATA', all(head(1), data(1)), streamError(ERROR.streamClosed)),
  row('5.1', 'half-closed: HEADERS', all(head(1), head(1)), streamError(ERROR.streamClosed)),
  row('5.1', 'half-closed: CONTINUATION', all(head(1), continuation(1)), connectionError(ERROR.protocol)),
  row('5.1', 'half-closed: WINDOW_UPDATE', all(head(1), windowUpdate(1, 1)), ANSWERED),
  row('5.1', 'half-closed: PRIORITY', all(head(1), priority(1, 0)), ANSWERED),
  row('5.1', 'half-closed: RST_STREAM', all(head(1), reset(1)), GOES_ON),
  row('5.1', 'reset: DATA', all(open(1), reset(1), data(1)), streamError(ERROR.streamClosed), IGNORED),
  row('5.1', 'reset: HEADERS', all(open(1), reset(1), head(1)), streamError(ERROR.streamClosed), IGNORED),
  row('5.1', 'reset: CONTINUATION', all(open(1), reset(1), continuation(1)), connectionError(ERROR.protocol)),
  row('5.1', 'closed: DATA', [head(1), data(1)], connectionError(ERROR.streamClosed), IGNORED_ANSWERED),
  row('5.1', 'closed: HEADERS', [head(1), head(1)], connectionError(ERROR.streamClosed), IGNORED_ANSWERED),
  row('5.1', 'closed: CONTINUATION', [head(1), continuation(1)], connectionError(ERROR.protocol)),
  row('5.1', 'closed: PRIORITY', [head(1), priority(1, 0)], ANSWERED),
  row('5.1.1', 'an even stream id', all(head(2)), connectionError(ERROR.protocol)),
  row('5.1.1', 'a smaller stream id than the last', all(head(5), head(3)), connectionError(ERROR.protocol), IGNORED),
  row(
    '5.4.1',
    'what is wrong with the connection ends it',
    all(head(1), ping(0, 0, 6)),
    connectionError(ERROR.frameSize),
  ),
  row('5.5', 'a frame of an unknown type on a stream is ignored', all(frame(UNKNOWN_TYPE, 0, 1), get(1)), ANSWERED),
  row(
    '5.5',
    'a frame of an unknown type within a header section',
    all(head(1, endStream), frame(UNKNOWN_TYPE, 0, 1)),
    connectionError(ERROR.protocol),
  ),

  row('6.1', 'DATA of no stream', all(data(0)), connectionError(ERROR.protocol)),
  row('6.1', 'DATA in several frames', all(open(1), data(1, 0), data(1)), ANSWERED),
  row('6.1', 'DATA with padding', all(open(1), data(1, endStream | PADDED, '\x04test\0\0\0\0')), ANSWERED),
  row(
    '6.1',
    'DATA that is all padding',
    all(open(1), data(1, endStream | PADDED, '\x05test')),
    connectionError(ERROR.protocol),
  ),
  row(
    '6.2',
    'HEADERS with padding',
    all(head(1, endHeaders | endStream | PADDED, Buffer.concat([Buffer.from([2]), GET_BLOCK, Buffer.alloc(2)]))),
    ANSWERED,
  ),
  row(
    '6.2',
    'HEADERS with more padding than there is',
    all(head(1, endHeaders | endStream | PADDED, Buffer.concat([Buffer.from([GET_BLOCK.length + 1]), GET_BLOCK]))),
    connectionError(ERROR.protocol),
  ),
  row(
    '6.2',
    'HEADERS with a priority',
    all(head(1, endHeaders | endStream | PRIORITY, Buffer.concat([numbers([4, 0], [1, 255]), GET_BLOCK]))),
    ANSWERED,
  ),
  row('6.2', 'HEADERS of no stream', all(head(0)), connectionError(ERROR.protocol)),
  row(
    '6.3',
    'PRIORITY of any weight, exclusive or not',
    all(priority(3, 0x8000_0001, 0), priority(5, 3, 255), get(1)),
    ANSWERED,
  ),
  row(
    '6.3',
    'PRIORITY of four bytes',
    all(open(1), frame(FRAME.priority, 0, 1, Buffer.alloc(4))),
    streamError(ERROR.frameSize),
  ),
  row('6.4', 'RST_STREAM of no stream', all(reset(0)), connectionError(ERROR.protocol)),
  row(
    '6.4',
    'RST_STREAM of three bytes',
    all(open(1), frame(FRAME.rstStream, 0, 1, Buffer.alloc(3))),
    connectionError(ERROR.frameSize),
  ),
  row(
    '6.5',
    'SETTINGS that acknowledge and say something',
    all(frame(FRAME.settings, ack, 0, Buffer.alloc(6))),
    connectionError(ERROR.frameSize),
  ),
  row(
    '6.5',
    'SETTINGS of a stream',
    all(frame(FRAME.settings, 0, 1, numbers([2, 3], [4, 100]))),
    connectionError(ERROR.protocol),
  ),
  row(
    '6.5',
    'SETTINGS of three bytes',
    all(frame(FRAME.settings, 0, 0, Buffer.alloc(3))),
    connectionError(ERROR.frameSize),
  ),
  row('6.5.2', 'ENABLE_PUSH of two', all(settings([2, 2])), connectionError(ERROR.protocol)),
  row(
    '6.5.2',
    'INITIAL_WINDOW_SIZE beyond the largest',
    all(settings([4, MAX_WINDOW + 1])),
    connectionError(ERROR.flowControl),
  ),
  row('6.5.2', 'MAX_FRAME_SIZE below the smallest', all(settings([5, 16_383])), connectionError(ERROR.protocol)),
  row('6.5.2', 'MAX_FRAME_SIZE beyond the largest', all(settings([5, 16_777_216])), connectionError(ERROR.protocol)),
  row('6.5.2', 'an unknown setting is ignored', all(settings([0xff, 1]), get(1)), ANSWERED),
  row('6.7', 'PING that acknowledges nothing is ignored', all(ping(ack), get(1)), ANSWERED, {
    outcome: connectionError(ERROR.protocol),
    why: 'Node takes a peer that sends one for broken or malicious',
  }),
  row('6.7', 'PING of a stream', all(ping(0, 1)), connectionError(ERROR.protocol)),
  row('6.7', 'PING of six bytes', all(ping(0, 0, 6)), connectionError(ERROR.frameSize)),
  row('6.8', 'GOAWAY of a stream', all(goaway(1, 0)), connectionError(ERROR.protocol)),
  row(
    '6.9',
    'a window of the connection that grows by nothing',
    all(windowUpdate(0, 0)),
    connectionError(ERROR.protocol),
  ),
  row(
    '6.9',
    'a window of a stream that grows by nothing',
    all(open(1), windowUpdate(1, 0)),
    streamError(ERROR.protocol),
  ),
  row(
    '6.9',
    'WINDOW_UPDATE of three bytes',
    all(frame(FRAME.windowUpdate, 0, 0, Buffer.alloc(3))),
    connectionError(ERROR.frameSize),
  ),
  row(
    '6.9.1',
    'a window of the connection that grows too large',
    all(windowUpdate(0, MAX_WINDOW)),
    connectionError(ERROR.flowControl),
  ),
  row(
    '6.9.1',
    'a window of a stream that grows too large',
    all(open(1), windowUpdate(1, MAX_WINDOW)),
    streamError(ERROR.flowControl),
  ),
  row(
    '6.9.2',
    'windows that a new initial size makes too large',
    all(open(1), windowUpdate(1, 100), settings([4, MAX_WINDOW])),
    connectionError(ERROR.flowControl),
    { outcome: streamError(ERROR.flowControl), why: 'the other streams go on' },
  ),
  row(
    '6.10',
    'a header section in three frames',
    all(head(1, endStream), continuation(1, 0), continuation(1)),
    ANSWERED,
  ),
  row(
    '6.10',
    'CONTINUATION and then something else',
    all(head(1, endStream), continuation(1, 0), data(1)),
    connectionError(ERROR.protocol),
  ),
  row('6.10', 'CONTINUATION of no stream', all(head(1, endStream), continuation(0)), connectionError(ERROR.protocol)),
  row(
    '6.10',
    'CONTINUATION of another stream',
    all(head(1, endStream), continuation(3)),
    connectionError(ERROR.protocol),
  ),
  row('6.10', 'CONTINUATION behind the end', all(open(1), continuation(1)), connectionError(ERROR.protocol)),
  row('6.10', 'CONTINUATION behind DATA', all(open(1), data(1, 0), continuation(1)), connectionError(ERROR.protocol)),
  row('7', 'RST_STREAM with an unknown code', all(open(1), reset(1, 0xff)), GOES_ON),
];

// As much of HTTP/2's framing as is ours: two frames that we write ourselves, and the heads of all, to count and to
// watch. Everything else is node:http2's.

/** RFC 9113 §7, as far as they are used. */
export const ERROR_CODES = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  FLOW_CONTROL_ERROR: 0x3,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  COMPRESSION_ERROR: 0x9,
  ENHANCE_YOUR_CALM: 0xb,
} as const;

const FRAME_HEAD_BYTES = 9;
const DATA = 0;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const PAYLOAD_BYTES = 8;

// PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED and FRAME_SIZE_ERROR (RFC 9113 §7).
const ERRORS_OF_PEERS: readonly number[] = [1, 3, 5, 6];

/** The GOAWAY that still takes every stream (RFC 9113 §6.8). */
export const ANY_STREAM = 2 ** 31 - 1;

/** Both are about the session and not about a stream, and without flags (RFC 9113 §4.1). */
function sessionFrame(type: number): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + PAYLOAD_BYTES);
  frame.writeUIntBE(PAYLOAD_BYTES, 0, 3);
  frame[3] = type;
  return frame;
}

/** RFC 9113 §6.8. */
export function goawayFrame(lastStreamId: number, errorCode: number): Buffer {
  const frame = sessionFrame(GOAWAY);
  frame.writeUInt32BE(lastStreamId, FRAME_HEAD_BYTES);
  frame.writeUInt32BE(errorCode, FRAME_HEAD_BYTES + 4);
  return frame;
}

/** RFC 9113 §6.7, with eight bytes of payload. */
export function pingFrame(payload: Uint8Array): Buffer {
  const frame = sessionFrame(PING);
  frame.set(payload, FRAME_HEAD_BYTES);
  return frame;
}

/** Finds the heads of frames in bytes that come in pieces, and skips what is between them. */
export class FrameHeads {
  #bytesToSkip: number;
  #headBytes = 0;
  #length = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;

  /** `prefaceBytes`: what comes before the first frame. */
  constructor(prefaceBytes = 0) {
    this.#bytesToSkip = prefaceBytes;
  }

  /**
   * Calls back for each head that ends in these bytes; its payload begins at `end`. And, where it is asked for, for each
   * piece of a payload.
   */
  push(
    bytes: Uint8Array,
    headed: (type: number, flags: number, length: number, end: number, streamId: number) => void,
    pieceOfPayload?: (piece: Uint8Array) => void,
  ): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#bytesToSkip > 0) {
        const skipped = Math.min(this.#bytesToSkip, bytes.length - at);
        pieceOfPayload?.(bytes.subarray(at, at + skipped));
        at += skipped;
        this.#bytesToSkip -= skipped;
        continue;
      }
      this.#takeByte(bytes[at] ?? 0);
      at += 1;
      if (this.#headBytes < FRAME_HEAD_BYTES) continue;
      headed(this.#type, this.#flags, this.#length, at, this.#streamId);
      this.#bytesToSkip = this.#length;
      this.#headBytes = 0;
      this.#length = 0;
      this.#streamId = 0;
    }
  }

  /** Three bytes of length, one of type, one of flags, four of the stream (RFC 9113 §4.1). */
  #takeByte(byte: number): void {
    if (this.#headBytes < 3) this.#length = this.#length * 256 + byte;
    else if (this.#headBytes === 3) this.#type = byte;
    else if (this.#headBytes === 4) this.#flags = byte;
    // The first bit is reserved.
    else this.#streamId = this.#streamId * 256 + (this.#headBytes === 5 ? byte & 0x7f : byte);
    this.#headBytes += 1;
  }
}

/**
 * What a session has written, by its frames: the content, the streams that the peer made it reset, and whether there
 * was a GOAWAY that says why the connection can't go on (RFC 9113 §5.4.1).
 */
export class SentFrames {
  readonly #heads = new FrameHeads();
  #sawError = false;
  #contentBytes = 0;
  #causedResets = 0;

  /** A GOAWAY with an error has been written. */
  get sawError(): boolean {
    return this.#sawError;
  }

  /** Of DATA frames, padding included. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /** RST_STREAM frames that blame the peer. */
  get causedResets(): number {
    return this.#causedResets;
  }

  /**
   * Whether a GOAWAY with an error has been by the end of these bytes. It has to come whole, as RST_STREAM has:
   * node:http2 does not cut them.
   */
  push(bytes: Buffer): boolean {
    this.#heads.push(bytes, (type, _flags, length, end) => {
      if (type === DATA) this.#contentBytes += length;
      else if (type === RST_STREAM) {
        if (end + 4 <= bytes.length && ERRORS_OF_PEERS.includes(bytes.readUInt32BE(end))) this.#causedResets += 1;
      } else if (
        type === GOAWAY &&
        length >= PAYLOAD_BYTES &&
        end + PAYLOAD_BYTES <= bytes.length &&
        bytes.readUInt32BE(end + 4) !== 0
      )
        this.#sawError = true;
    });
    return this.#sawError;
  }
}

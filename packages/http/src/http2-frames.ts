// The two frames that are ours to write; all others are node:http2's.

const FRAME_HEAD_BYTES = 9;
const PING = 6;
const GOAWAY = 7;
const PAYLOAD_BYTES = 8;

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

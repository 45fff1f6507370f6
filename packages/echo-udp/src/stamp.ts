// The reflector of STAMP (RFC 8762), unauthenticated mode: a datagram of a session-sender in, the reflected one out. It
// is stateless (§4.3 leaves the choice): the sequence number that comes is the one that goes. Also answers TWAMP-Light
// senders that pad to 44 bytes.
//
//     sent:       sequence 4 · timestamp 8 · error estimate 2 · session id 2 · zero 28
//     reflected:  sequence 4 · timestamp 8 · error estimate 2 · session id 2 · receive timestamp 8 ·
//                 sender's sequence 4 · sender's timestamp 8 · sender's error estimate 2 · zero 2 · sender's TTL 1 · zero 3
//
// What comes behind the 44 bytes goes back as it came, so that both directions carry the same size.

/** The shortest datagram of either side. */
export const STAMP_BYTES = 44;

// RFC 868's epoch, which NTP shares: seconds from 1900 to 1970.
const EPOCH_OFFSET_SECONDS = 2_208_988_800;

// Not known to be synchronized, NTP format, and an error of 2^-7 s, 8 ms (multiplier 1, scale 25; RFC 4656 §4.1.2):
// Node cannot take the kernel's timestamps, so the time that a datagram waited for this process to read it is not told.
const ERROR_ESTIMATE = 0x1901;
// RFC 5357 §4.2.1: 255 where the reflector cannot see the TTL of what it received, as Node cannot.
const UNKNOWN_TTL = 255;

/** A time in NTP's 64-bit format: whole seconds since 1900, modulo 2^32, then the fraction. */
export function writeNtpTimestamp(view: DataView, offset: number, wallMs: number): void {
  const seconds = Math.floor(wallMs / 1000);
  view.setUint32(offset, (seconds + EPOCH_OFFSET_SECONDS) % 2 ** 32);
  view.setUint32(offset + 4, Math.floor(((wallMs - seconds * 1000) / 1000) * 2 ** 32));
}

/** Milliseconds since 1970 from NTP's format, for dates until 2036. */
export const readNtpTimestamp = (view: DataView, offset: number): number =>
  (view.getUint32(offset) - EPOCH_OFFSET_SECONDS) * 1000 + (view.getUint32(offset + 4) / 2 ** 32) * 1000;

/** The first 44 bytes of a session-sender's datagram; the caller has filled the rest. */
export function writeStampRequest(bytes: Uint8Array, sequence: number, wallMs: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes.fill(0, 0, STAMP_BYTES);
  view.setUint32(0, sequence);
  writeNtpTimestamp(view, 4, wallMs);
  view.setUint16(12, ERROR_ESTIMATE);
}

/** Makes the reflected datagram, or nothing of one that is too short to be STAMP's. `wallMs` may hold fractions. */
export function reflectStamp(
  message: Uint8Array,
  receivedAtWallMs: number,
  wallMs: () => number,
): Uint8Array | undefined {
  if (message.length < STAMP_BYTES) return undefined;
  const reflected = Uint8Array.from(message);
  const view = new DataView(reflected.buffer);
  // The sender's fields move behind ours; sequence number and session id (RFC 8972 §3) stay where they are.
  reflected.copyWithin(24, 0, 14);
  view.setUint16(12, ERROR_ESTIMATE);
  writeNtpTimestamp(view, 16, receivedAtWallMs);
  reflected.fill(0, 38, STAMP_BYTES);
  reflected[40] = UNKNOWN_TTL;
  writeNtpTimestamp(view, 4, wallMs());
  return reflected;
}

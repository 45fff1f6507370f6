import { connectDatagram } from '@wellknown/core/socket';
import { createServer } from '@wellknown/core';
import { createFakeClock } from '@wellknown/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  readNtpTimestamp,
  reflectStamp,
  smallServiceProtocol,
  STAMP_BYTES,
  writeNtpTimestamp,
  writeStampRequest,
} from '../src/index.ts';

const EPOCH = 2_208_988_800;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function requestOf(bytes: number, sequence = 7): Uint8Array {
  const request = Uint8Array.from({ length: bytes }, (_, index) => index);
  writeStampRequest(request, sequence, 1_000_250);
  return request;
}

describe('the reflected datagram', () => {
  test('carries the fields of RFC 8762 §4.3.1 at their places', () => {
    const request = requestOf(STAMP_BYTES);
    viewOf(request).setUint16(14, 0xbeef);
    const reflected = reflectStamp(request, 2_000_500, () => 2_000_750)!;
    const view = viewOf(reflected);
    expect({
      sequence: view.getUint32(0),
      timestamp: [view.getUint32(4), view.getUint32(8)],
      errorEstimate: view.getUint16(12),
      session: view.getUint16(14),
      received: [view.getUint32(16), view.getUint32(20)],
      senderSequence: view.getUint32(24),
      senderTimestamp: [view.getUint32(28), view.getUint32(32)],
      senderErrorEstimate: view.getUint16(36),
      zero: view.getUint16(38),
      senderTtl: reflected[40],
      rest: [...reflected.subarray(41)],
    }).toEqual({
      sequence: 7,
      timestamp: [EPOCH + 2_000, 0.75 * 2 ** 32],
      errorEstimate: 0x1901,
      session: 0xbeef,
      received: [EPOCH + 2_000, 0.5 * 2 ** 32],
      senderSequence: 7,
      senderTimestamp: [EPOCH + 1_000, 0.25 * 2 ** 32],
      senderErrorEstimate: 0x1901,
      zero: 0,
      senderTtl: 255,
      rest: [0, 0, 0],
    });
  });

  test('answers a request whose bytes behind the header of 14 are 0 up to the 44th, and the sender’s own from there', () => {
    const request = requestOf(50);
    expect([...request.subarray(14)]).toEqual([...new Array<number>(30).fill(0), 44, 45, 46, 47, 48, 49]);
    expect(viewOf(request).getUint16(12)).toBe(0x1901);
  });

  test('has the size of what came, and its tail', () => {
    const request = requestOf(1_400);
    const reflected = reflectStamp(request, 0, () => 0)!;
    expect(reflected.subarray(STAMP_BYTES)).toEqual(request.subarray(STAMP_BYTES));
    expect(reflected).toHaveLength(1_400);
  });

  test('is not made of 43 bytes, and is made of 44', () => {
    expect(reflectStamp(new Uint8Array(43), 0, () => 0)).toBeUndefined();
    expect(reflectStamp(new Uint8Array(44), 0, () => 0)).toHaveLength(44);
  });

  test('of any bytes is as long as they are, and leaves them unchanged', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 44, maxLength: 100 }), (bytes) => {
        const before = Uint8Array.from(bytes);
        expect(reflectStamp(bytes, 1, () => 2)).toHaveLength(bytes.length);
        expect(bytes).toEqual(before);
      }),
    );
  });
});

test('a timestamp comes back to a microsecond', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 31 * 900, noNaN: true }), (wallMs) => {
      const view = new DataView(new ArrayBuffer(8));
      writeNtpTimestamp(view, 0, wallMs);
      expect(Math.abs(readNtpTimestamp(view, 0) - wallMs)).toBeLessThan(0.001);
    }),
  );
});

test('the seconds of a timestamp begin anew in 2036', () => {
  const view = new DataView(new ArrayBuffer(8));
  const seconds = (wallMs: number): number => (writeNtpTimestamp(view, 0, wallMs), view.getUint32(0));
  const eraMs = (2 ** 32 - EPOCH) * 1000;
  expect([seconds(eraMs - 1), seconds(eraMs), seconds(eraMs + 1000)]).toEqual([2 ** 32 - 1, 0, 1]);
});

describe('the reflector', () => {
  test('answers over UDP, and counts what is too short for it', async () => {
    const server = createServer(
      { protocol: smallServiceProtocol('stamp'), listen: 'udp://127.0.0.1:0' },
      { clock: createFakeClock({ wallMs: 5_000 }) },
    );
    const [bound] = await server.listen();
    const peer = await connectDatagram(bound?.url ?? '');
    peer.send(new Uint8Array(43));
    peer.send(requestOf(44, 9));
    const answer = (await peer.read(5_000))!;
    expect(viewOf(answer).getUint32(24)).toBe(9);
    expect(viewOf(answer).getUint32(4)).toBe(EPOCH + 5);
    expect((await server.status()).services[0]?.counters).toMatchObject({ 'dropped-too-short': 1 });
    peer.close();
    await server.close();
  });
});

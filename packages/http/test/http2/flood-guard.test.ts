import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FloodGuard, type Flood } from '../../src/http2/flood-guard.ts';
import { DEFAULT_HTTP_LIMITS } from '../../src/limits.ts';
import { FLAG, frame, FRAME, GET_BLOCK } from './raw-http2.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const RESET = frame(FRAME.rstStream, 0, 1, Buffer.alloc(4));
const PING = frame(FRAME.ping, 0, 0, Buffer.alloc(8));
const times = (count: number, bytes: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => bytes));

/** A guard in a session that makes no errors. */
const create = (
  limits: { maxResets?: number; maxControlFrames?: number; floodIntervalMs?: number } = {},
): Pick<FloodGuard, 'fields'> & {
  push: (bytes: Uint8Array, nowMs: number, causedResets?: number) => Flood | undefined;
} => {
  const guard = new FloodGuard({ ...DEFAULT_HTTP_LIMITS, ...limits });
  return { fields: guard.fields, push: (bytes, nowMs, causedResets = 0) => guard.push(bytes, nowMs, causedResets) };
};

test('a browser’s first words are no flood', () => {
  const words = Buffer.concat([
    PREFACE,
    frame(FRAME.settings, 0, 0, Buffer.alloc(18)),
    frame(FRAME.windowUpdate, 0, 0, Buffer.alloc(4)),
    frame(FRAME.headers, FLAG.endHeaders, 1, GET_BLOCK),
  ]);
  expect(create({ maxControlFrames: 1, maxResets: 0 }).push(words, 0)).toBeUndefined();
});

describe.each<[Flood, Buffer, number]>([
  ['resets', RESET, DEFAULT_HTTP_LIMITS.maxResets],
  ['control-frames', PING, DEFAULT_HTTP_LIMITS.maxControlFrames],
])('of %s', (flood, sent, max) => {
  test('as many as allowed pass, one more does not', () => {
    const meter = create();
    expect(meter.push(Buffer.concat([PREFACE, times(max, sent)]), 0)).toBeUndefined();
    expect(meter.push(sent, 9_999)).toBe(flood);
  });

  test('the next interval may have as many again', () => {
    const meter = create();
    meter.push(Buffer.concat([PREFACE, times(max, sent)]), 5);
    expect(meter.push(times(max, sent), 10_005)).toBeUndefined();
    expect(meter.push(sent, 10_006)).toBe(flood);
  });
});

test('streams that a peer makes us reset count like those that it resets, each once', () => {
  const meter = create({ maxResets: 3 });
  expect(meter.push(PREFACE, 0, 0)).toBeUndefined();
  expect(meter.push(RESET, 1, 1)).toBeUndefined();
  expect(meter.push(PING, 2, 2)).toBeUndefined();
  expect(meter.push(PING, 3, 3)).toBe('resets');
  const patient = create({ maxResets: 3 });
  patient.push(PREFACE, 0, 0);
  patient.push(PING, 9_999, 3);
  expect(patient.push(PING, 10_000, 6)).toBeUndefined();
  expect(patient.push(RESET, 10_001, 6)).toBe('resets');
});

test('empty DATA counts, except where it ends a stream', () => {
  const last = frame(FRAME.data, FLAG.endStream, 1);
  const meter = create({ maxControlFrames: 1 });
  expect(meter.push(Buffer.concat([PREFACE, last, last, last, frame(FRAME.data, 0, 1)]), 0)).toBeUndefined();
  expect(meter.push(frame(FRAME.data, 0, 1), 0)).toBe('control-frames');
});

test('what lies in a payload is no frame', () => {
  const meter = create({ maxResets: 0 });
  expect(meter.push(Buffer.concat([PREFACE, frame(FRAME.data, 0, 1, times(100, RESET))]), 0)).toBeUndefined();
  expect(meter.push(RESET, 0)).toBe('resets');
});

test('frames cut anywhere are counted as the same', () => {
  const kinds = [
    RESET,
    PING,
    frame(FRAME.data, 0, 1, times(3, RESET)),
    frame(FRAME.headers, FLAG.endHeaders, 1, GET_BLOCK),
  ];
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      (sent, cuts) => {
        const bytes = Buffer.concat([PREFACE, ...sent]);
        const resets = sent.filter((one) => one === RESET).length;
        for (const [maxResets, expected] of [
          [resets, undefined],
          [resets - 1, resets === 0 ? undefined : 'resets'],
        ] as const) {
          const meter = create({ maxResets: Math.max(0, maxResets) });
          let found: Flood | undefined;
          for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
            const size = cuts[cut % cuts.length] ?? 1;
            found ??= meter.push(bytes.subarray(at, at + size), 0);
            at += size;
          }
          expect(found).toBe(expected);
        }
      },
    ),
  );
});

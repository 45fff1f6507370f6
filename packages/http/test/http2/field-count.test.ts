import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FieldCounter } from '../../src/http2/field-count.ts';
import { FrameHeads } from '../../src/http2/frames.ts';
import { FLAG, frame, FRAME, literal } from './raw-http2.ts';

const PADDED = 0x08;
const PRIORITY = 0x20;

/** What the counter says of stream 1 after these bytes, cut into pieces of some length. */
function countOf(bytes: Buffer, pieceBytes: number): number | undefined {
  const heads = new FrameHeads();
  const counter = new FieldCounter();
  for (let at = 0; at < bytes.length; at += pieceBytes)
    heads.push(
      bytes.subarray(at, at + pieceBytes),
      (type, flags, length, _end, streamId) => counter.frame(type, flags, length, streamId),
      (piece) => counter.payload(piece),
    );
  return counter.take(1);
}

const LONG = 'x'.repeat(300);
const section = (fragment: Buffer, flags = 0): Buffer => frame(FRAME.headers, FLAG.endHeaders | flags, 1, fragment);

describe.each([1, 2, 7, 100_000])('fields are counted, in pieces of %i bytes', (pieceBytes) => {
  test.each<readonly [what: string, bytes: Buffer, count: number | undefined]>([
    ['none', section(Buffer.alloc(0)), 0],
    ['indexed ones', section(Buffer.from([0x82, 0x87, 0x84])), 3],
    ['an index of several bytes', section(Buffer.from([0xff, 0x80, 0x01, 0x82])), 2],
    ['literals of each kind', section(Buffer.concat([0x00, 0x10, 0x40].map((kind) => literal('a', 'b', kind)))), 3],
    ['literals with an indexed name', section(Buffer.from([0x41, 1, 0x61, 0x0f, 0x05, 1, 0x62])), 2],
    ['empty strings', section(Buffer.concat([literal('a', ''), literal('', '')])), 2],
    ['strings whose length takes several bytes', section(Buffer.concat([literal(LONG, LONG), literal('a', LONG)])), 2],
    ['a new size of the table is none', section(Buffer.from([0x20, 0x3f, 0xe1, 0x1f, 0x82])), 1],
    [
      'with padding',
      section(Buffer.concat([Buffer.from([3]), literal('a', 'b'), Buffer.from([0x82, 0x82, 0x82])]), PADDED),
      1,
    ],
    [
      'with a priority',
      section(Buffer.concat([Buffer.from([0x82, 0x82, 0x82, 0x82, 0x82]), literal('a', 'b')]), PRIORITY),
      1,
    ],
    [
      'with both',
      section(
        Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0]), literal('a', 'b'), Buffer.from([0x82])]),
        PADDED | PRIORITY,
      ),
      1,
    ],
    [
      'that go on in other frames, within a string too',
      Buffer.concat([
        frame(FRAME.headers, 0, 1, literal('name', 'value').subarray(0, 3)),
        frame(FRAME.continuation, 0, 1, literal('name', 'value').subarray(3, 8)),
        frame(
          FRAME.continuation,
          FLAG.endHeaders,
          1,
          Buffer.concat([literal('name', 'value').subarray(8), Buffer.from([0x82])]),
        ),
      ]),
      2,
    ],
    ['of which the last ones have not come', frame(FRAME.headers, 0, 1, Buffer.from([0x82])), undefined],
    [
      'among frames of other kinds',
      Buffer.concat([
        frame(FRAME.data, 0, 1, Buffer.from([0x82])),
        section(Buffer.from([0x82])),
        frame(FRAME.ping, 0, 0, Buffer.alloc(8, 0x82)),
      ]),
      1,
    ],
  ])('%s', (_, bytes, count) => {
    expect(countOf(bytes, pieceBytes)).toBe(count);
  });
});

test('any fields, cut anywhere, are counted', () => {
  const field = fc.record({
    name: fc.string({ maxLength: 200 }),
    value: fc.string({ maxLength: 400 }),
    kind: fc.constantFrom(0x00, 0x10, 0x40),
  });
  fc.assert(
    fc.property(
      fc.array(field, { maxLength: 20 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 300 }),
      (fields, pieceBytes, fragmentBytes) => {
        const block = Buffer.concat(fields.map(({ name, value, kind }) => literal(name, value, kind)));
        const frames = [frame(FRAME.headers, 0, 1, block.subarray(0, fragmentBytes))];
        for (let at = fragmentBytes; at < block.length; at += fragmentBytes)
          frames.push(frame(FRAME.continuation, 0, 1, block.subarray(at, at + fragmentBytes)));
        frames.push(frame(FRAME.continuation, FLAG.endHeaders, 1));
        expect(countOf(Buffer.concat(frames), pieceBytes)).toBe(fields.length);
      },
    ),
  );
});

test('of two sections that came on one stream the first is told first, and of more nobody asks', () => {
  const counter = new FieldCounter();
  for (const bytes of [[0x82, 0x82, 0x82], [0x82], [0x82, 0x82]]) {
    counter.frame(FRAME.headers, FLAG.endHeaders, bytes.length, 1);
    counter.payload(Uint8Array.from(bytes));
  }
  expect([counter.take(1), counter.take(1), counter.take(1)]).toEqual([3, 1, undefined]);
});

test('a count is told once, and those that nobody asks for are forgotten', () => {
  const counter = new FieldCounter();
  for (let stream = 1; stream <= 1_001; stream += 1) counter.frame(FRAME.headers, FLAG.endHeaders, 0, stream);
  expect([counter.take(1), counter.take(2), counter.take(2), counter.take(1_001)]).toEqual([
    undefined,
    0,
    undefined,
    0,
  ]);
});

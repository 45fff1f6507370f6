import { describe, expect, test } from 'vitest';
import { ANY_STREAM, goawayFrame, SentFrames, pingFrame } from '../../src/http2/frames.ts';
import { frame, FRAME } from './raw-http2.ts';

test('the frames that we write are those of RFC 9113', () => {
  expect(pingFrame(Buffer.from('12345678'))).toEqual(frame(FRAME.ping, 0, 0, Buffer.from('12345678')));
  expect(goawayFrame(ANY_STREAM, 11)).toEqual(
    frame(FRAME.goaway, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 11])),
  );
});

describe('a session has failed', () => {
  const said = (...written: Buffer[]): boolean => {
    const watch = new SentFrames();
    for (const bytes of written) watch.push(bytes);
    return watch.sawError;
  };

  test('with a GOAWAY that names an error, wherever it stands', () => {
    expect(said(goawayFrame(1, 6))).toBe(true);
    expect(said(Buffer.concat([frame(FRAME.settings, 0, 0), goawayFrame(1, 6)]))).toBe(true);
  });

  test('and neither with one of no error, nor with content that looks like one', () => {
    expect(said(goawayFrame(1, 0), pingFrame(Buffer.alloc(8)))).toBe(false);
    const content = goawayFrame(1, 6);
    const data = frame(FRAME.data, 0, 1, content);
    expect(said(data)).toBe(false);
    // node:http2 writes the head of DATA and its content apart.
    expect(said(data.subarray(0, 9), content)).toBe(false);
    expect(said(data.subarray(0, 9), content, goawayFrame(1, 6))).toBe(true);
  });
});

test('streams that were reset count as the peer’s doing where the error says so (RFC 9113 §7)', () => {
  const reset = (code: number): Buffer => frame(FRAME.rstStream, 0, 1, Buffer.from([0, 0, 0, code]));
  const blaming = Array.from({ length: 14 }, (_, code) => code).filter((code) => {
    const watch = new SentFrames();
    watch.push(Buffer.concat([frame(FRAME.settings, 0, 0), reset(code), pingFrame(Buffer.alloc(8))]));
    return watch.causedResets === 1;
  });
  expect(blaming).toEqual([1, 3, 5, 6]);
});

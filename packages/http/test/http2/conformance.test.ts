// RFC 9113 and RFC 7541 from outside, frame by frame: node:http2 decides most of it, and what it decides reaches the
// peer through our connection, whose ends are ours.

import { describe, expect, test } from 'vitest';
import { HttpResponse } from '../../src/fetch/response.ts';
import { ANSWERED, FRAME_CASES, GOES_ON, type ConformanceCase } from './conformance-frames.ts';
import { MESSAGE_CASES } from './conformance-messages.ts';
import { serveHttp2, type MemoryHttp2 } from './memory-http2.ts';
import { errorCodeOf, FLAG, frame, FRAME, isEndOf, isGoaway, type Frame } from './raw-http2.ts';

const PING = frame(FRAME.ping, 0, 0, Buffer.from('question'));

/** What became of the session, in the form of a row. */
async function outcomeOf(session: MemoryHttp2): Promise<unknown> {
  const { frames, connection } = session;
  const goaway = frames.find(isGoaway);
  // It says why the connection can't go on, and ends it.
  if (goaway !== undefined && connection.state !== 'open')
    return { at: 'connection-error', codes: [errorCodeOf(goaway)] };
  session.send(PING);
  await session.settle();
  const isAnswer = ({ type, flags, payload }: Frame): boolean =>
    type === FRAME.ping && flags === FLAG.ack && payload.toString() === 'question';
  if (!frames.some(isAnswer)) return 'stuck';
  const reset = frames.find(({ type }) => type === FRAME.rstStream);
  if (reset !== undefined) return { at: 'stream-error', codes: [reset.payload.readUInt32BE()] };
  return frames.some(isEndOf(1)) ? ANSWERED : GOES_ON;
}

describe.each<readonly [of: string, cases: readonly ConformanceCase[]]>([
  ['frames and streams', FRAME_CASES],
  ['messages and fields', MESSAGE_CASES],
])('%s', (_, cases) => {
  test.each(cases)('§$clause: $what', async ({ send, outcome, instead }) => {
    const session = await serveHttp2(async (request) => new HttpResponse(`${await request.text()}!`));
    for (const bytes of send) {
      session.send(bytes);
      await session.settle();
    }
    const expected = instead?.outcome ?? outcome;
    // An error of a stream may be made one of its connection (RFC 9113 §5.4).
    const allowed = expected.at === 'stream-error' ? [expected, { ...expected, at: 'connection-error' }] : [expected];
    expect(allowed).toContainEqual(await outcomeOf(session));
  });
});

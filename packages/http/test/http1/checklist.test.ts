import { byteByByte, cutAt, everyCut } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { RESPONSE_ROWS } from './checklist-responses.ts';
import { REQUEST_ROWS } from './checklist-requests.ts';
import { echo, type Case } from './checklist.ts';
import { octets } from './parse-all.ts';
import { readResponses, serveHandler, settled } from '../serve.ts';

const ROWS = [...REQUEST_ROWS, ...RESPONSE_ROWS];
/** The numbers that the checklist has. */
const IDS = Array.from({ length: 61 }, (_, index) => index + 1).filter((id) => id !== 10 && id !== 29);
// Beyond this, cuts are samples: what is long is so by repetition.
const MAX_CUT_EVERYWHERE_BYTES = 400;

function* everyWay(bytes: Uint8Array): Generator<readonly Uint8Array[]> {
  if (bytes.length <= MAX_CUT_EVERYWHERE_BYTES) yield* everyCut(bytes);
  else
    for (const offset of [0, 1, 20, 100, bytes.length >> 1, bytes.length - 100, bytes.length - 1])
      yield cutAt(bytes, [offset]);
  yield byteByByte(bytes);
}

interface Outcome {
  readonly text: string;
  readonly closes: boolean;
}

/** What comes back, and whether the server has ended the connection. */
async function play(given: Case, chunks: readonly Uint8Array[]): Promise<Outcome> {
  const { peer, clock } = serveHandler(given.handler ?? echo, given.limits);
  for (const chunk of chunks) {
    if (!peer.closed) peer.send(chunk);
  }
  await settled();
  if (given.ends === true) peer.end();
  for (let second = 0; second < (given.seconds ?? 0); second += 1) clock.advance(1_000);
  await settled();
  return { text: peer.take(), closes: peer.sawEnd || peer.closed };
}

/** The responses in the words of the case. */
function responsesOf(given: Case, text: string): Case['responses'] {
  const read = given.breaks === undefined ? readResponses(text, given.methods) : [];
  return read.map(({ status, body }, index): readonly [number, string?] =>
    given.responses[index]?.[1] === undefined ? [status] : [status, body],
  );
}

test('the checklist is complete', () => {
  expect(ROWS.map(({ id }) => id).sort((a, b) => a - b)).toEqual(IDS);
});

describe.each(ROWS.map(({ id, rule, section, cases }) => [id, rule, section, cases] as const))(
  '%i. %s (RFC %s)',
  (_id, _rule, _section, cases) => {
    test.each(cases.map((given) => [JSON.stringify(given.input).slice(0, 90), given] as const))(
      '%s',
      async (_, given) => {
        // Side by side, each on a connection of its own: what they wait for is the same turns of the event loop.
        const played = await Promise.all([...everyWay(octets(given.input))].map((chunks) => play(given, chunks)));
        // What comes back is nearly always the same, however the input was cut: each outcome is looked at once.
        const outcomes = new Map(played.map((outcome) => [`${outcome.closes} ${outcome.text}`, outcome]));
        for (const { text, closes } of outcomes.values()) {
          expect(responsesOf(given, text)).toEqual(given.responses);
          expect(closes).toBe(given.closes);
          expect(text).toMatch(given.breaks ?? given.says ?? /^/);
          expect(text).not.toMatch(given.keepsQuiet ?? /(?!)/);
        }
        expect(played.length).toBeGreaterThan(1);
      },
    );
  },
);

// The fast way through a header section: whole and faultless field lines, one after another, in loops that know no
// states.
//
// The state machine of http1/head-parser.ts reads every head correctly; this only runs ahead of it. It stops in front
// of the first line that is cut off or has anything about it, and the machine, which names the fault, goes on from
// there. So a line is accepted here only if the machine would accept it, which a property test checks. In heads of 40
// lines it saves two thirds of the parsing.

import type { HeaderSemantics } from '../semantics/header-semantics.ts';
import { OCTET_CLASSES, STEERS, TOKEN, VALUE } from '../semantics/char-classes.ts';

const SP = 0x20;
const HTAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;

/**
 * Reads lines from `start` as long as they lie before `end`, at most as many as `maxFields` leaves. Returns where the
 * first line begins that it did not take. When a line is well formed and its field refused, it stops as well:
 * `facts.refusal` says why.
 */
export function takeWholeLines(
  bytes: Buffer,
  start: number,
  end: number,
  facts: HeaderSemantics,
  maxFields: number,
): number {
  // A binding of this function costs nothing in a loop; one of another module is looked up for each octet, at a third
  // of the time.
  const classes = OCTET_CLASSES;
  const token = TOKEN;
  const value = VALUE;
  const steers = STEERS;
  let lineStart = start;
  let lines = facts.fieldCount;
  while (lines < maxFields) {
    let at = lineStart;
    while (at < end && ((classes[bytes[at] ?? 0] ?? 0) & token) !== 0) at += 1;
    const nameEnd = at;
    if (at >= end || bytes[at] !== COLON || nameEnd === lineStart) break;
    at += 1;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
    const valueStart = at;
    while (at < end && ((classes[bytes[at] ?? 0] ?? 0) & value) !== 0) at += 1;
    if (at + 1 >= end || bytes[at] !== CR || bytes[at + 1] !== LF) break;
    lines += 1;
    if (((classes[bytes[lineStart] ?? 0] ?? 0) & steers) !== 0) facts.note(bytes, lineStart, nameEnd, valueStart, at);
    lineStart = at + 2;
    if (facts.refusal !== undefined) break;
  }
  facts.fieldCount = lines;
  return lineStart;
}

// Which rule an octet breaks where a part of the head has to end.

import type { Refusal } from '../semantics/refusals.ts';

const SP = 0x20;
const HTAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;

/** A method that ended in something else than a space. */
export function refusalAfterMethod(octet: number | undefined, methodBytes: number): Refusal {
  if (octet === LF) return 'bare-lf';
  if (methodBytes > 0 && (octet === CR || octet === HTAB)) return 'request-line-invalid';
  return methodBytes === 0 && octet === SP ? 'request-line-invalid' : 'method-invalid';
}

/** A target that ended in something else than a space. */
export function refusalAfterTarget(octet: number | undefined, targetBytes: number): Refusal {
  if (octet === LF) return 'bare-lf';
  return octet === CR || octet === HTAB || (targetBytes === 0 && octet === SP)
    ? 'request-line-invalid'
    : 'target-invalid';
}

/** A field name that ended in something else than a colon. */
export function refusalInName(octet: number | undefined, nameBytes: number): Refusal {
  if (octet === LF) return 'bare-lf';
  return nameBytes > 0 && (octet === SP || octet === HTAB) ? 'space-before-colon' : 'field-name-invalid';
}

// What the header section of one request says, checked and decided.

import { parseTarget } from './authority.ts';
import type { HeaderSemantics } from './header-semantics.ts';
import type { Framing } from './framing.ts';
import { isForHandler } from './methods.ts';
import type { Refusal } from './refusals.ts';

export interface RequestHead {
  readonly method: string;
  /** The request target as it came. */
  readonly target: string;
  /** False where the engine answers by itself. */
  readonly isForHandler: boolean;
  /** Path and query, starting with `/`; empty for `OPTIONS *` and CONNECT. */
  readonly path: string;
  /** Host and port the request is for, from the target or Host; empty in an HTTP/1.0 request without either. */
  readonly authority: string;
  /** 0 or 1. A higher minor version is spoken to as 1 (RFC 9110 §2.5). */
  readonly minorVersion: 0 | 1;
  /** The target says `https://`: it may be answered over TLS alone (RFC 9110 §7.4). */
  readonly needsTls: boolean;
  /** The field lines, each ending in CR LF. */
  readonly fieldLines: string;
  readonly framing: Framing;
  /** The client means to send more requests (RFC 9112 §9.3). */
  readonly persistent: boolean;
  /** The client waits for 100 (Continue) before it sends the content. */
  readonly expectsContinue: boolean;
  /** It has Range or one of the If-… fields. */
  readonly isConditional: boolean;
  /** Connection and Upgrade ask for another protocol (RFC 9110 §7.8). */
  readonly wantsUpgrade: boolean;
}

/** The request line, cut into its parts. */
export interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly minorVersion: 0 | 1;
}

/** What a well-formed head means, or the refusal that its meaning calls for. */
export function decideHead(
  { method, target, minorVersion }: RequestLine,
  facts: HeaderSemantics,
  fieldLines: string,
): RequestHead | Refusal {
  const parsed = parseTarget(method, target);
  if (parsed === undefined) return 'target-invalid';
  const problem = facts.hostProblem(minorVersion);
  if (problem !== undefined) return problem;
  const framing = facts.framing(minorVersion);
  if (typeof framing === 'string') return framing;
  if (facts.expectation === 'unknown' && minorVersion === 1) return 'expectation-unknown';
  return {
    method,
    target,
    isForHandler: isForHandler(method, parsed.path),
    path: parsed.path,
    authority: parsed.authority === '' ? facts.host : parsed.authority,
    minorVersion,
    needsTls: parsed.isHttps,
    fieldLines,
    framing,
    persistent: facts.persistent(minorVersion),
    // HTTP/1.0 has no interim responses (RFC 9110 §10.1.1).
    expectsContinue: facts.expectation === 'continue' && minorVersion === 1 && framing.body !== 'none',
    isConditional: facts.isConditional,
    wantsUpgrade: facts.wantsUpgrade && minorVersion === 1,
  };
}

/** The same for a head of the same version whose fields are, byte for byte, those of `known`. */
export function headWithFieldsOf(
  known: RequestHead,
  host: string,
  { method, target, minorVersion }: RequestLine,
): RequestHead | Refusal {
  const parsed = parseTarget(method, target);
  if (parsed === undefined) return 'target-invalid';
  return {
    method,
    target,
    isForHandler: isForHandler(method, parsed.path),
    path: parsed.path,
    authority: parsed.authority === '' ? host : parsed.authority,
    minorVersion,
    needsTls: parsed.isHttps,
    fieldLines: known.fieldLines,
    framing: known.framing,
    persistent: known.persistent,
    expectsContinue: known.expectsContinue,
    isConditional: known.isConditional,
    wantsUpgrade: known.wantsUpgrade,
  };
}

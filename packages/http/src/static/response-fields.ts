// Header fields that the operator adds to responses, by the path that was asked for.

import { isToken } from '../semantics/char-classes.ts';
import { asHeaders, HttpHeaders } from '../fetch/headers.ts';
import type { HttpResponse } from '../fetch/response.ts';

/** Fields for the paths that match `path`, decoded and without the query; for all without one. */
export interface HeaderRule {
  readonly path?: RegExp | undefined;
  /** An empty value takes away what would be sent otherwise. Of several rules for one name the last decides. */
  readonly headers: Readonly<Record<string, string>>;
}

type Field = readonly [name: string, value: string];

/**
 * The usual ones that break no ordinary site. What may be loaded, and from where, only its author knows: a stricter
 * Content-Security-Policy is a rule of its own.
 */
const SECURITY_FIELDS: readonly Field[] = [
  ['Content-Security-Policy', "base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'"],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'SAMEORIGIN'],
];
// Never in clear (RFC 6797 §7.2).
const TLS_FIELDS: readonly Field[] = [['Strict-Transport-Security', 'max-age=31536000']];

// What the server decides by itself: another value would be a lie about the content.
const OWN_FIELDS = new Set([
  'accept-ranges',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'etag',
  'last-modified',
  'transfer-encoding',
  'vary',
]);

/** Why a rule can't hold, as a sentence. */
export function problemOfField(name: string, value: string): string | undefined {
  if (!isToken(name)) return `'${name}' is no field name`;
  if (OWN_FIELDS.has(name.toLowerCase())) return `${name} is the server's to say`;
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    ? undefined
    : `the value of ${name} holds a character that can't be sent`;
}

export class ResponseFields {
  readonly #rules: readonly HeaderRule[];
  readonly #security: boolean;

  /** Throws a TypeError for a rule that can't hold. */
  constructor(rules: readonly HeaderRule[], security: boolean) {
    for (const { headers } of rules)
      for (const [name, value] of Object.entries(headers)) {
        const problem = problemOfField(name, value);
        if (problem !== undefined) throw new TypeError(problem);
      }
    this.#rules = rules.map(({ path, headers }) => ({ path: withoutMemory(path), headers }));
    this.#security = security;
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0 && !this.#security;
  }

  /** Some are for connections with TLS only. */
  get dependsOnScheme(): boolean {
    return this.#security;
  }

  /** Header fields together with those for a path. */
  added(headers: Readonly<Record<string, string>>, path: string, isSecure: boolean): Record<string, string> {
    const fields = asHeaders(new HttpHeaders(headers));
    this.#addTo(fields, path, isSecure);
    return Object.fromEntries(fields);
  }

  /** Adds those for a path to a response. */
  addTo({ headers }: HttpResponse, path: string, isSecure: boolean): void {
    this.#addTo(headers, path, isSecure);
  }

  #addTo(headers: Headers, path: string, isSecure: boolean): void {
    const add = ([name, value]: Field): void => (value === '' ? headers.delete(name) : headers.set(name, value));
    if (this.#security) {
      // A page of our own has a stricter policy.
      const hasPolicy = headers.has('content-security-policy');
      for (const field of SECURITY_FIELDS) if (!hasPolicy || field[0] !== 'Content-Security-Policy') add(field);
      if (isSecure) TLS_FIELDS.forEach(add);
    }
    for (const rule of this.#rules)
      if (rule.path === undefined || rule.path.test(path)) Object.entries(rule.headers).forEach(add);
  }
}

/** With `g` or `y` a pattern remembers where it matched last, and would match every other time. */
export const withoutMemory = (pattern: RegExp | undefined): RegExp | undefined =>
  pattern && new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));

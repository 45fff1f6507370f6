// Lines in, commands out. A line that is no command becomes the reply that refuses it.

import { fail, ok, type Result } from '@wellknown/core';
import { UTF8, type Charset } from './charset.ts';
import type { LineEvent } from './line-decoder.ts';
import { REPLY, type Reply } from './replies.ts';

/**
 * `verb` is in upper case and is not known to be a command yet. `argument` is everything after the first space, as
 * sent.
 */
export interface Command {
  readonly verb: string;
  readonly argument: string;
}

/**
 * Splits a line at its first space. The argument keeps its spaces, for they may belong to a file's name, and bytes that the
 * charset does not know.
 */
export function parseCommand(event: LineEvent, charset: Charset = UTF8): Result<Command, Reply> {
  if (event.type === 'too-long') return fail(REPLY.lineTooLong);
  const text = charset.decode(event.bytes);
  const space = text.indexOf(' ');
  const verb = (space < 0 ? text : text.slice(0, space)).toUpperCase();
  // Verbs are letters (RFC 959 §5.3.1), and later ones end with digits; anything else must not come near the table.
  if (!/^[A-Z][A-Z0-9]{0,15}$/.test(verb)) return fail(REPLY.notACommand);
  const argument = space < 0 ? '' : text.slice(space + 1);
  if (/[\0\r]/.test(argument)) return fail(REPLY.controlCharacter);
  return ok({ verb, argument });
}

// A browser that is tricked into speaking to this port begins with one of these (ALPACA, CVE-2021-3618).
const HTTP_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
]);

/** True for a verb that only an HTTP client sends. */
export const isHttpMethod = (verb: string): boolean => HTTP_METHODS.has(verb);

// Lines in, commands out. A line that is no command becomes the reply that refuses it.

import { fail, ok, type Result } from '@wellknown/core';
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

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Splits a line at its first space. The argument keeps its spaces, for they may belong to a file's name. */
export function parseCommand(event: LineEvent): Result<Command, Reply> {
  if (event.type === 'too-long') return fail(REPLY.lineTooLong);
  let text: string;
  try {
    text = utf8.decode(event.bytes);
  } catch {
    // RFC 2640 §3.1: names travel as UTF-8. Guessing another encoding would give a file a name that was never sent.
    return fail(REPLY.notUtf8);
  }
  const space = text.indexOf(' ');
  const verb = (space < 0 ? text : text.slice(0, space)).toUpperCase();
  // Verbs are letters (RFC 959 §5.3.1); anything else must not come near the table.
  if (!/^[A-Z]{1,16}$/.test(verb)) return fail(REPLY.notACommand);
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

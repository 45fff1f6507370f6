// Status line and header section of a response. The engine alone decides framing: what a handler says about it is
// checked against the content, or dropped, so that no handler can make two responses out of one.

import { fail, ok, type Result } from '@wellknown/core';
import { parseContentLength } from '../semantics/framing.ts';
import { isToken } from '../semantics/char-classes.ts';
import { FORBIDDEN_TRAILERS } from '../semantics/header-semantics.ts';
import { entriesOf, FieldSet, type ResponseHeaders } from '../fetch/field-set.ts';
import { statusLine } from '../semantics/statuses.ts';

/** How the end of the content is marked on the wire. `none`: no content follows the head. */
export type Transfer = 'none' | 'length' | 'chunked' | 'until-close';

export interface ResponseParts {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** `unknown` is a stream. */
  readonly content: 'empty' | 'bytes' | 'unknown';
  /** Of the content, where it is known. */
  readonly byteLength: number;
}

export interface ExchangeFacts {
  readonly isHead: boolean;
  readonly minorVersion: 0 | 1;
  /** The engine will close after this response. */
  readonly closes: boolean;
  /** The whole field line. */
  readonly dateLine: string;
}

export interface EncodedHead {
  readonly text: string;
  readonly transfer: Transfer;
  readonly closes: boolean;
  /** With `length`: what is promised. */
  readonly byteLength: number;
}

/**
 * Fields about one connection, which a handler that relays a response brings along without meaning them for this one.
 */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'http2-settings',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
// CR, LF and NUL would end the field early; what is above 0xff has no octet.
const INVALID_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Status line and fields, everything but what says how long the content is. */
export interface EncodedFields {
  readonly text: string;
  /** The Content-Length that was given. */
  readonly declared: number | undefined;
  /** The handler asks for the close. */
  readonly closes: boolean;
  readonly hasDate: boolean;
}

/** Status line and header fields, or a sentence for the log about why they can't be sent. */
export function encodeFields(
  { status, statusText, headers }: Omit<ResponseParts, 'byteLength'>,
  dateLine: string,
): Result<EncodedFields, string> {
  if (!Number.isInteger(status) || status < 200 || status > 599) return fail(`status ${status} is not a final status`);
  if (statusText !== '' && INVALID_VALUE.test(statusText))
    return fail('the status text holds a character that is not allowed');
  let text = statusText === '' ? statusLine(status) : `HTTP/1.1 ${status} ${statusText}\r\n`;
  let declared: number | undefined;
  let closes = false;
  let hasDate = false;
  const { names, values, lowerNames, isSendable } = headers instanceof FieldSet ? headers : listsOf(headers);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    const value = values[index] ?? '';
    const problem = isSendable ? undefined : fieldProblem(name, value);
    if (problem !== undefined) return fail(problem);
    const lower = lowerNames[index] ?? '';
    if (lower === 'content-length') {
      const length = parseContentLength(value);
      if (length === undefined || (declared !== undefined && declared !== length))
        return fail(`Content-Length '${value}' is not one number`);
      declared = length;
      continue;
    }
    if (HOP_BY_HOP.has(lower)) {
      if (lower === 'connection' && /\bclose\b/i.test(value)) closes = true;
      continue;
    }
    if (lower === 'date') hasDate = true;
    text += `${name}: ${value}\r\n`;
  }
  if (!hasDate) text += dateLine;
  return ok({ text, declared, closes, hasDate });
}

function listsOf(headers: ResponseParts['headers']): Pick<FieldSet, 'names' | 'lowerNames' | 'values' | 'isSendable'> {
  const fields = [...headers];
  const names = fields.map(([name]) => name);
  const lowerNames = names.map((name) => name.toLowerCase());
  return { names, lowerNames, values: fields.map(([, value]) => value), isSendable: false };
}

/** Why a field can't be sent, if it can't (RFC 9112 §11.1). */
export function fieldProblem(name: string, value: string): string | undefined {
  if (!isToken(name)) return `'${name}' is not a field name`;
  return INVALID_VALUE.test(value) ? `the value of ${name} holds a character that is not allowed` : undefined;
}

/** The head, or a sentence for the log about why the response can't be sent. */
export function encodeHead(parts: ResponseParts, facts: ExchangeFacts): Result<EncodedHead, string> {
  const fields = encodeFields(parts, facts.dateLine);
  if (!fields.ok) return fields;
  const { text, declared } = fields.value;
  const framing = decideTransfer(parts, facts, declared);
  if (typeof framing === 'string') return fail(framing);
  const closes = facts.closes || fields.value.closes || framing.transfer === 'until-close';
  // An HTTP/1.0 client has to be told that it may go on.
  const connection = closes ? 'Connection: close\r\n' : facts.minorVersion === 0 ? 'Connection: keep-alive\r\n' : '';
  return ok({
    text: `${text}${framing.line}${connection}\r\n`,
    transfer: framing.transfer,
    closes,
    byteLength: framing.byteLength,
  });
}

const CHUNKED_LINE = 'Transfer-Encoding: chunked\r\n';

/** A head that announces chunks, changed to announce `byteLength` bytes. */
export function headWithLength(head: string, byteLength: number): string {
  // The engine's own line is the last of its kind, whatever a handler's fields hold.
  const at = head.lastIndexOf(CHUNKED_LINE);
  return `${head.slice(0, at)}Content-Length: ${byteLength}\r\n${head.slice(at + CHUNKED_LINE.length)}`;
}

interface TransferDecision {
  readonly transfer: Transfer;
  /** The field line that says so. */
  readonly line: string;
  readonly byteLength: number;
}

function decideTransfer(
  { status, content, byteLength }: ResponseParts,
  { isHead, minorVersion }: ExchangeFacts,
  declared: number | undefined,
): TransferDecision | string {
  // No length in a 204 (RFC 9110 §8.6); a 304 would have to name that of the 200.
  if (status === 204 || status === 304) return { transfer: 'none', line: '', byteLength: 0 };
  if (status === 205) return { transfer: 'none', line: 'Content-Length: 0\r\n', byteLength: 0 };
  if (content === 'unknown') {
    if (isHead)
      return { transfer: 'none', line: declared === undefined ? '' : `Content-Length: ${declared}\r\n`, byteLength: 0 };
    if (declared !== undefined)
      return { transfer: 'length', line: `Content-Length: ${declared}\r\n`, byteLength: declared };
    // Never chunked to HTTP/1.0 (RFC 9112 §6.1).
    return minorVersion === 1
      ? { transfer: 'chunked', line: CHUNKED_LINE, byteLength: 0 }
      : { transfer: 'until-close', line: '', byteLength: 0 };
  }
  // A response to HEAD may know the length without having the content; if it does not, what GET would have is not known
  // (RFC 9110 §8.6).
  if (isHead && content === 'empty' && declared === undefined) return { transfer: 'none', line: '', byteLength: 0 };
  const length = isHead && content === 'empty' && declared !== undefined ? declared : byteLength;
  if (declared !== undefined && declared !== length)
    return `Content-Length says ${declared}, the content has ${length} bytes`;
  return {
    transfer: isHead || length === 0 ? 'none' : 'length',
    line: `Content-Length: ${length}\r\n`,
    byteLength: length,
  };
}

/**
 * Field lines for after the last chunk. Throws for a field that can't be sent, or may not stand there (RFC 9110
 * §6.5.1).
 */
export function encodeTrailers(trailers: ResponseHeaders): string {
  let lines = '';
  for (const [name, value] of entriesOf(trailers)) {
    const problem =
      fieldProblem(name, value) ??
      (FORBIDDEN_TRAILERS.has(name.toLowerCase()) ? `${name} may not be a trailer` : undefined);
    if (problem !== undefined) throw new TypeError(problem);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

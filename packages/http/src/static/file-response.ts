// One representation of a file as a response: validators, preconditions, ranges.

import { createHash } from 'node:crypto';
import type { ContentSource, OwnBytes } from '../fetch/content.ts';
import { responseOf, type HttpResponse, type HttpResponseInit } from '../fetch/response.ts';
import { evaluateConditions } from './conditions.ts';
import type { OpenFile } from './disk-file.ts';
import type { FileFacts, FileValidators, KnownFile, Representation } from './file-cache.ts';
import type { Growth } from './file-change.ts';
import { decideRange, multipartOf, type ByteRange } from './range.ts';

/** What a response needs to know beside the file. */
export interface FileResponseContext {
  readonly cacheControl: string;
  readonly nowMs: number;
  /** Request fields, beside Accept-Encoding, by which this file was chosen. */
  readonly variesOn: readonly string[];
  /** What it means when the file grows while it is sent. */
  readonly growth: Growth;
  /** The same for what is read before anything is sent. */
  readonly firstGrowth: Growth;
}

/** Where the bytes come from: memory, or a file that is open and closed with the response. */
export type FileContent = OwnBytes | OpenFile;

// Two writes within one tick of a file system's clock leave no trace in the time: until it has passed, a tag is weak.
const SETTLED_AFTER_MS = 2_000;

/**
 * True when the file has rested long enough for its times to tell of every change. A time in the future was set by
 * somebody and says nothing; who sets one of long ago has written the file before, and the change time in its tag tells.
 */
export const isSettled = (facts: FileFacts, nowMs: number): boolean =>
  facts.modifiedMs > nowMs || hasRested(facts, nowMs);

const hasRested = ({ modifiedMs }: FileFacts, nowMs: number): boolean => modifiedMs + SETTLED_AFTER_MS < nowMs;

/** The header fields of a whole representation. */
export const fileHeaders = (
  known: KnownFile,
  representation: Representation,
  context: FileResponseContext,
): Record<string, string> =>
  headersWith(validatorsOf(known, representation, context.nowMs), known, representation, context);

/** What a 304 repeats (RFC 9110 §15.4.5). */
function metadataWith(
  { etag, lastModified }: FileValidators,
  { codings }: KnownFile,
  { cacheControl, variesOn }: FileResponseContext,
): Record<string, string> {
  const vary = codings.length > 0 ? [...variesOn, 'Accept-Encoding'] : variesOn;
  return {
    ETag: etag,
    ...(lastModified !== undefined && { 'Last-Modified': lastModified }),
    'Cache-Control': cacheControl,
    ...(vary.length > 0 && { Vary: vary.join(', ') }),
  };
}

function headersWith(
  validators: FileValidators,
  known: KnownFile,
  { coding, generated }: Representation,
  context: FileResponseContext,
): Record<string, string> {
  // Made once more, by another version of the library perhaps, it is not the same to the octet.
  const isRanged = generated === undefined;
  return {
    ...metadataWith(validators, known, context),
    'Content-Type': known.mediaType,
    ...(coding !== undefined && { 'Content-Encoding': coding }),
    ...(isRanged && { 'Accept-Ranges': 'bytes' }),
    'X-Content-Type-Options': 'nosniff',
  };
}

// The first piece that a body writer reads. Up to here a part is read before its head leaves: a file that changes in
// that moment, as the end of a busy log does, is looked at again.
const READ_FIRST_BYTES = 131_072;

/** The response where a precondition decides, so that the content is not needed; otherwise undefined. */
export function decidedResponse(
  request: Request,
  known: KnownFile,
  representation: Representation,
  context: FileResponseContext,
): HttpResponse | undefined {
  const validators = validatorsOf(known, representation, context.nowMs);
  const { at } = evaluateConditions(request.headers, validators, context.nowMs);
  return at === 'proceed' ? undefined : responseOfDecision(at, metadataWith(validators, known, context));
}

const responseOfDecision = (at: 'failed' | 'not-modified', metadata: Record<string, string>): HttpResponse =>
  at === 'failed' ? errorResponse(412) : responseOf(null, { status: 304, headers: metadata });

/**
 * Answers GET or HEAD. Takes the content: an open file is closed with the response. Undefined when the file changed
 * before anything was said; from memory there is always a response, at once.
 */
export function fileResponse(
  request: Request,
  known: KnownFile,
  representation: Representation,
  content: OwnBytes,
  context: FileResponseContext,
): HttpResponse;
export function fileResponse(
  request: Request,
  known: KnownFile,
  representation: Representation,
  content: FileContent,
  context: FileResponseContext,
): HttpResponse | Promise<HttpResponse | undefined>;
export function fileResponse(
  request: Request,
  known: KnownFile,
  representation: Representation,
  content: FileContent,
  context: FileResponseContext,
): HttpResponse | Promise<HttpResponse | undefined> {
  const validators = validatorsOf(known, representation, context.nowMs);
  const outcome = evaluateConditions(request.headers, validators, context.nowMs);
  if (outcome.at !== 'proceed') {
    close(content);
    return responseOfDecision(outcome.at, metadataWith(validators, known, context));
  }
  const headers = headersWith(validators, known, representation, context);
  const byteLength = content instanceof Uint8Array ? content.byteLength : representation.facts.byteLength;
  if (request.method === 'HEAD') {
    close(content);
    return responseOf(null, { headers: { ...headers, 'Content-Length': String(byteLength) } });
  }
  const range =
    outcome.mayRange && representation.generated === undefined
      ? decideRange(request.headers.get('range'), byteLength)
      : { at: 'whole' as const };
  if (range.at === 'whole') return partResponse({ start: 0, byteLength }, content, context, { headers });
  if (range.at === 'unsatisfiable') {
    close(content);
    return errorResponse(416, { 'Content-Range': `bytes */${byteLength}` });
  }
  return partsResponse(range.parts, byteLength, content, headers, context);
}

function partsResponse(
  parts: readonly ByteRange[],
  size: number,
  content: FileContent,
  headers: Record<string, string>,
  context: FileResponseContext,
): HttpResponse | Promise<HttpResponse | undefined> {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    const contentRange = `bytes ${only.start}-${only.start + only.byteLength - 1}/${size}`;
    return partResponse(only, content, context, {
      status: 206,
      headers: { ...headers, 'Content-Range': contentRange },
    });
  }
  // Each part names its range; the response as a whole has none (RFC 9110 §15.3.7.2).
  const multipart = multipartOf(
    parts,
    size,
    headers['Content-Type'] ?? '',
    (part) => sourceOf(content, part, context.growth),
    () => close(content),
  );
  return responseOf(multipart.content, {
    status: 206,
    headers: { ...headers, 'Content-Type': multipart.contentType },
  });
}

function validatorsOf({ original }: KnownFile, representation: Representation, nowMs: number): FileValidators {
  const { coding, facts, generated } = representation;
  const known = representation.validators;
  if (known !== undefined && known.lastModifiedMs <= nowMs) return known;
  // Never in the future (RFC 9110 §8.8.2.1). The date is the original's: a sidecar is another form of the same.
  const lastModifiedMs = Math.floor(Math.min(original.facts.modifiedMs, nowMs) / 1000) * 1000;
  representation.tag ??= tagOf(facts);
  const tag = `"${representation.tag}${coding === undefined ? '' : `-${coding}`}"`;
  const validators = {
    etag: isSettled(facts, nowMs) && generated === undefined ? tag : `W/${tag}`,
    lastModified: lastModifiedMs >= FIRST_DATE_MS ? new Date(lastModifiedMs).toUTCString() : undefined,
    lastModifiedMs,
  };
  if (hasRested(facts, nowMs) && hasRested(original.facts, nowMs)) representation.validators = validators;
  return validators;
}

// The year 1: a date of HTTP has four digits and no sign.
const FIRST_DATE_MS = Date.parse('0001-01-01T00:00:00Z');
const TAG_CHARACTERS = 16;

/**
 * Made of all that tells one content from another (RFC 9110 §8.8.1). Archives and package managers give every file the
 * same modification time, so size and time are not enough. As a digest, since numbers of inodes are nobody's business.
 */
const tagOf = ({ identity }: FileFacts): string =>
  createHash('sha256').update(withoutDevice(identity)).digest('base64url').slice(0, TAG_CHARACTERS);
/** The number of a device is another one each time it is mounted. */
const withoutDevice = (identity: string): string => identity.slice(identity.indexOf(':') + 1);

const close = (content: FileContent): void => {
  if (!(content instanceof Uint8Array)) content.close();
};

function partResponse(
  { start, byteLength }: ByteRange,
  content: FileContent,
  { growth, firstGrowth }: FileResponseContext,
  init: HttpResponseInit,
): HttpResponse | Promise<HttpResponse | undefined> {
  if (content instanceof Uint8Array) return responseOf(content.subarray(start, start + byteLength), init);
  if (byteLength > READ_FIRST_BYTES) return responseOf(content.part(start, byteLength, growth), init);
  return content.readPart(start, byteLength, firstGrowth).then((bytes) => bytes && responseOf(bytes, init));
}

/** A part of a multipart content, whose end is not the end of the file. */
function sourceOf(content: FileContent, part: ByteRange, growth: Growth): ContentSource {
  if (!(content instanceof Uint8Array)) return content.part(part.start, part.byteLength, growth);
  let rest = content.subarray(part.start, part.start + part.byteLength);
  return {
    byteLength: part.byteLength,
    read: (into) => {
      const taken = rest.subarray(0, into.length);
      into.set(taken);
      rest = rest.subarray(taken.length);
      return Promise.resolve(taken.length);
    },
    close: () => undefined,
  };
}

export const STATUS_TEXTS = {
  400: 'The path is not valid.',
  403: 'The file may not be read.',
  404: 'Not found.',
  405: 'Only GET and HEAD are answered here.',
  412: 'A precondition does not hold.',
  416: 'The file has no such range.',
  503: 'The file cannot be read just now. Try again.',
} as const;

/** A response that says in one sentence why there is no file in it. */
export const errorResponse = (status: keyof typeof STATUS_TEXTS, headers: Record<string, string> = {}): HttpResponse =>
  responseOf(`${STATUS_TEXTS[status]}\n`, { status, headers });

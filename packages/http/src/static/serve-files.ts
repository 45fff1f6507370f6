// Files as a fetch handler: which file, whether it may be seen, whether the client has it already, which part of it.

import { systemClock, type Clock } from '@wellknown/core';
import type { FetchHandler, RequestContext } from '../handler.ts';
import { HttpResponse } from '../response.ts';
import { evaluateConditions } from './conditions.ts';
import { DiskRoot, type DiskProblem, type OpenFile, type SymlinkPolicy } from './disk.ts';
import { formatHttpDate } from './http-date.ts';
import { LISTING_POLICY, parseListingOrder, renderListing } from './listing.ts';
import { mediaTypeOf } from './media-type.ts';
import { parseFilePath, pathOfTarget, type FilePath } from './path.ts';
import { decideRange } from './range.ts';

export interface ServeFilesOptions {
  /** Answers a directory without index.html with a page that lists it; otherwise with 404. */
  readonly listing?: boolean;
  /** Answers what is not there, when a browser asks for a page, with the root's index.html. */
  readonly spa?: boolean;
  /** The Cache-Control of every file. The default lets caches keep it and has them ask first. */
  readonly cacheControl?: string;
  readonly symlinks?: SymlinkPolicy;
  /** Names that start with a dot, except `/.well-known`, are not found unless allowed. */
  readonly dotfiles?: 'deny' | 'allow';
  readonly clock?: Clock;
}

const INDEX = 'index.html';
// A page of this length is long past usefulness; every entry costs a look at the disk.
const MAX_LISTED_ENTRIES = 2_000;
// Two writes within one tick of a file system's clock leave no trace in the time: until it has passed, a tag is weak.
const SETTLED_AFTER_MS = 2_000;
const ALLOW = 'GET, HEAD';

const PROBLEM_STATUS: Readonly<Record<DiskProblem, 403 | 404 | 503>> = { 'not-found': 404, forbidden: 403, busy: 503 };
const STATUS_TEXTS = {
  400: 'The path is not valid.',
  403: 'The file may not be read.',
  404: 'Not found.',
  405: 'Only GET and HEAD are answered here.',
  412: 'A precondition does not hold.',
  416: 'The file has no such range.',
  503: 'Too many files are open. Try again.',
} as const;

const refuse = (status: keyof typeof STATUS_TEXTS, headers: Record<string, string> = {}): HttpResponse => new HttpResponse(`${STATUS_TEXTS[status]}\n`, { status, headers });

/** Serves the files below `root` for GET and HEAD. Throws at once when `root` is not a directory. */
export function serveFiles(root: string, options: ServeFilesOptions = {}): FetchHandler {
  const { listing = true, spa = false, cacheControl = 'no-cache', symlinks = 'inside', dotfiles = 'deny', clock = systemClock } = options;
  const disk = new DiskRoot(root, symlinks);

  const answerFile = (request: Request, file: OpenFile, name: string): HttpResponse => {
    const nowMs = clock.wallMs();
    const validators = validatorsOf(file, nowMs);
    const headers: Record<string, string> = { ETag: validators.etag, 'Last-Modified': formatHttpDate(validators.lastModifiedMs), 'Cache-Control': cacheControl };
    const outcome = evaluateConditions(request.headers, validators, nowMs);
    if (outcome.at !== 'proceed') {
      file.close();
      return outcome.at === 'failed' ? refuse(412) : new HttpResponse(null, { status: 304, headers });
    }
    headers['Content-Type'] = mediaTypeOf(name);
    headers['Accept-Ranges'] = 'bytes';
    headers['X-Content-Type-Options'] = 'nosniff';
    if (request.method === 'HEAD') {
      file.close();
      headers['Content-Length'] = String(file.byteLength);
      return new HttpResponse(null, { headers });
    }
    const range = outcome.mayRange ? decideRange(request.headers.get('range'), file.byteLength) : { at: 'whole' as const };
    if (range.at === 'unsatisfiable') {
      file.close();
      return refuse(416, { 'Content-Range': `bytes */${file.byteLength}` });
    }
    if (range.at === 'whole') return new HttpResponse(file.source(0, file.byteLength), { headers });
    headers['Content-Range'] = `bytes ${range.start}-${range.start + range.byteLength - 1}/${file.byteLength}`;
    return new HttpResponse(file.source(range.start, range.byteLength), { status: 206, headers });
  };

  const answerDirectory = async (request: Request, { segments, namesDirectory, query }: FilePath): Promise<HttpResponse> => {
    const last = segments.at(-1);
    if (!namesDirectory && last !== undefined) {
      // Relative, so that no path can be read as another host, and a proxy's prefix stays.
      return HttpResponse.redirect(`./${encodeURIComponent(last)}/${query}`, 308);
    }
    const index = await disk.open([...segments, INDEX]);
    if (index.ok && index.value.kind === 'file') return answerFile(request, index.value, INDEX);
    if (!index.ok && index.error !== 'not-found') return refuse(PROBLEM_STATUS[index.error]);
    if (!listing) return refuse(404);
    const isVisible = (name: string): boolean => parseFilePath(`/${[...segments, name].map(encodeURIComponent).join('/')}`, dotfiles).ok;
    const listed = await disk.list(segments, MAX_LISTED_ENTRIES, isVisible);
    if (!listed.ok) return refuse(PROBLEM_STATUS[listed.error]);
    return new HttpResponse(renderListing({ segments, ...listed.value, ...parseListingOrder(query) }), {
      headers: { 'Content-Type': 'text/html;charset=utf-8', 'Cache-Control': 'no-cache', 'Content-Security-Policy': LISTING_POLICY, 'X-Content-Type-Options': 'nosniff' },
    });
  };

  const answerMissing = async (request: Request, path: FilePath, problem: DiskProblem): Promise<HttpResponse> => {
    if (problem === 'not-found' && spa && wantsPage(request, path)) {
      const index = await disk.open([INDEX]);
      if (index.ok && index.value.kind === 'file') return answerFile(request, index.value, INDEX);
    }
    return refuse(PROBLEM_STATUS[problem], problem === 'busy' ? { 'Retry-After': '1' } : {});
  };

  return async (request: Request, context?: RequestContext): Promise<HttpResponse> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, { Allow: ALLOW });
    const path = parseFilePath(context === undefined ? pathOfTarget(request.url) : pathOfTarget(context.rawTarget), dotfiles);
    if (!path.ok) return refuse(path.error);
    const found = await disk.open(path.value.segments);
    if (!found.ok) return answerMissing(request, path.value, found.error);
    if (found.value.kind === 'directory') return answerDirectory(request, path.value);
    if (path.value.namesDirectory) {
      found.value.close();
      return refuse(404);
    }
    return answerFile(request, found.value, path.value.segments.at(-1) ?? '');
  };
}

function validatorsOf({ byteLength, modifiedMs }: OpenFile, nowMs: number): { etag: string; lastModifiedMs: number } {
  const tag = `"${byteLength.toString(36)}-${Math.round(modifiedMs * 1000).toString(36)}"`;
  const isSettled = modifiedMs + SETTLED_AFTER_MS < nowMs;
  // Never in the future (RFC 9110 §8.8.2.1).
  const lastModifiedMs = Math.floor(Math.min(modifiedMs, nowMs) / 1000) * 1000;
  return { etag: isSettled ? tag : `W/${tag}`, lastModifiedMs };
}

/** A page of an application, not one of its assets: those have an extension, and a missing one should be seen to be missing. */
function wantsPage(request: Request, { segments }: FilePath): boolean {
  return !(segments.at(-1) ?? '').includes('.') && /\btext\/html\b/i.test(request.headers.get('accept') ?? '');
}

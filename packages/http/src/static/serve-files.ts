// Files as a fetch handler: which file, whether it may be seen, which representation of it.

import { systemClock, type Clock } from '@wellknown/core';
import type { FetchHandler, RequestContext } from '../handler.ts';
import { HttpRequest, isConditional } from '../fetch/request.ts';
import { HttpResponse } from '../fetch/response.ts';
import { DiskRoot, type DiskProblem, type OpenFile, type SymlinkPolicy } from './disk.ts';
import { chooseCoding } from './encoding.ts';
import {
  fileResponse,
  errorResponse,
  fileHeaders,
  isSettled,
  type FileResponseContext,
  type FileContent,
} from './file-response.ts';
import {
  DEFAULT_FILE_CACHE,
  FileCache,
  type FileCacheLimits,
  type KnownFile,
  type Representation,
} from './file-cache.ts';
import { FileFinder } from './file-finder.ts';
import { LISTING_POLICY, renderListing } from './listing.ts';
import { pageCount, pageOf, parseListingView, sortByName, sortBySize, type ListingView } from './listing-order.ts';
import { parseFilePath, pathOfTarget, problemOfName, type FilePath } from './path.ts';

export interface ServeFilesOptions {
  /** Answers a directory without index.html with a page that lists it; otherwise with 404. */
  readonly listing?: boolean;
  /** Answers what is not there, when a browser asks for a page, with the root's index.html. */
  readonly spa?: boolean;
  /** The Cache-Control of every file. The default lets caches keep it and has them ask first. */
  readonly cacheControl?: string;
  /**
   * Paths, as requests have them, that match never change: they are sent with `public, max-age=31536000, immutable`.
   * For names that hold a hash.
   */
  readonly immutable?: RegExp;
  /**
   * Paths, as requests have them, that match are only ever appended to, as logs are: one that grows while it is sent
   * arrives with the length that it had. So does one that was written less than two seconds before it is asked for. Any
   * other file that grows meanwhile ends the connection, since a new content that is longer looks the same.
   */
  readonly appendOnly?: RegExp;
  /**
   * Sends `name.br`, `name.zst` or `name.gz` in place of `name`, where there is one that is not older and the client
   * takes it.
   */
  readonly precompressed?: boolean;
  readonly symlinks?: SymlinkPolicy;
  /** Names that start with a dot, except `/.well-known`, are not found unless allowed. */
  readonly dotfiles?: 'deny' | 'allow';
  /** Where it differs from DEFAULT_FILE_CACHE. `maxBytes: 0` looks at the disk for every request. */
  readonly cache?: Partial<FileCacheLimits>;
  readonly clock?: Clock;
}

const INDEX = 'index.html';
// In a longer list nothing is found by looking; sorting by size or time looks at each on the disk.
const MAX_LISTED_ENTRIES = 10_000;
const LISTING_HEADERS = {
  'Content-Type': 'text/html;charset=utf-8',
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': LISTING_POLICY,
  'X-Content-Type-Options': 'nosniff',
};
const ALLOW = 'GET, HEAD';
// A file that is rewritten while it is read is read again; more often, a process does nothing but write it.
const MAX_ATTEMPTS = 3;
const ACCEPT = 'Accept';
const RETRY_SOON = { 'Retry-After': '1' };
const IMMUTABLE = 'public, max-age=31536000, immutable';
const PROBLEM_STATUS: Readonly<Record<DiskProblem, 403 | 404 | 503>> = { 'not-found': 404, forbidden: 403, busy: 503 };

/** Serves the files below `root` for GET and HEAD. Throws at once when `root` is not a directory. */
export function serveFiles(root: string, options: ServeFilesOptions = {}): FetchHandler {
  const { symlinks = 'inside', precompressed = true, clock = systemClock } = options;
  const disk = new DiskRoot(root, symlinks);
  const cache = new FileCache({ ...DEFAULT_FILE_CACHE, ...options.cache });
  const site = new Site(disk, cache, new FileFinder(disk, cache, precompressed), options);
  return (request: Request, context?: RequestContext) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return errorResponse(405, { Allow: ALLOW });
    const target = context === undefined ? pathOfTarget(request.url) : context.rawTarget;
    const nowMs = clock.wallMs();
    return site.responseFromMemory(request, target, nowMs) ?? site.respond(request, target, nowMs);
  };
}

/** One request, on its way through what was found for it. */
interface Question {
  readonly request: Request;
  readonly nowMs: number;
  /** What changes now is not looked at again. */
  readonly isLastAttempt: boolean;
}

class Site {
  readonly #disk: DiskRoot;
  readonly #cache: FileCache;
  readonly #finder: FileFinder;
  readonly #options: ServeFilesOptions;
  readonly #immutable: RegExp | undefined;
  readonly #appendOnly: RegExp | undefined;

  constructor(disk: DiskRoot, cache: FileCache, finder: FileFinder, options: ServeFilesOptions) {
    this.#disk = disk;
    this.#cache = cache;
    this.#finder = finder;
    this.#options = options;
    this.#immutable = withoutMemory(options.immutable);
    this.#appendOnly = withoutMemory(options.appendOnly);
  }

  /**
   * The response that most requests get: a small file that was looked at a moment ago, whole. Nothing is waited for.
   */
  responseFromMemory(request: Request, target: string, nowMs: number): HttpResponse | undefined {
    const queryStart = target.indexOf('?');
    const known = this.#cache.get(queryStart < 0 ? target : target.slice(0, queryStart));
    if (known === undefined || !this.#cache.isFresh(known, nowMs) || mayDependOnFields(request)) return undefined;
    return representationFor(request, known).kept?.response;
  }

  async respond(request: Request, target: string, nowMs: number): Promise<HttpResponse> {
    const parsed = parseFilePath(pathOfTarget(target), this.#options.dotfiles ?? 'deny');
    if (!parsed.ok) return errorResponse(parsed.error);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const question = { request, nowMs, isLastAttempt: attempt === MAX_ATTEMPTS };
      const response = await this.#tryToRespond(question, parsed.value);
      if (response !== undefined) return response;
    }
    return errorResponse(503, RETRY_SOON);
  }

  /** Undefined when what was found changed before it could be read: look again. So it is with all that follow. */
  async #tryToRespond(question: Question, path: FilePath): Promise<HttpResponse | undefined> {
    const { nowMs } = question;
    const remembered = await this.#recall(path.key, nowMs);
    if (remembered !== undefined) return this.#respondWithKnown(question, remembered, undefined);
    // A file named like a directory is not found, and not to be remembered either.
    const found = await this.#finder.find(path.namesDirectory ? undefined : path.key, path.segments, nowMs);
    if (!found.ok) return this.#respondToMissing(question, path, found.error);
    if (found.value.kind === 'directory') return this.#respondToDirectory(question, path);
    const { known, file } = found.value;
    if (path.namesDirectory) {
      file?.close();
      return errorResponse(404);
    }
    return this.#respondWithKnown(question, known, file);
  }

  /** What was found under `key` before, if it is still there and the same. */
  async #recall(key: string, nowMs: number): Promise<KnownFile | undefined> {
    const known = this.#cache.get(key);
    return known === undefined || this.#cache.isFresh(known, nowMs) ? known : this.#finder.recheck(known, nowMs);
  }

  /**
   * Takes `file`, the original if it is open already. `variesOn`: fields that led to this file, beside Accept-Encoding.
   */
  async #respondWithKnown(
    question: Question,
    known: KnownFile,
    file: OpenFile | undefined,
    variesOn: readonly string[] = [],
  ): Promise<HttpResponse | undefined> {
    const { request, nowMs } = question;
    const representation = representationFor(request, known);
    const context: FileResponseContext = {
      nowMs,
      cacheControl: this.#cacheControlOf(known),
      variesOn,
      ...this.#growthOf(known, representation, question),
    };
    if (representation.kept !== undefined) {
      file?.close();
      const needsOwnResponse = variesOn.length > 0 || mayDependOnFields(request);
      return needsOwnResponse
        ? fileResponse(request, known, representation, representation.kept.bytes, context)
        : representation.kept.response;
    }
    let open = file;
    if (open === undefined || representation !== known.original) {
      const reopened = await this.#finder.open(representation);
      if (!reopened.ok && representation !== known.original) {
        // Unreadable, or it leads out of the root: none of that makes the original any less there.
        this.#finder.forgetSidecar(known, representation);
        return this.#respondWithKnown(question, known, file, variesOn);
      }
      open?.close();
      if (!reopened.ok) {
        this.#cache.delete(known.path);
        return undefined;
      }
      open = reopened.value;
    }
    const { byteLength } = representation.facts;
    let content: FileContent | undefined = open;
    if (this.#cache.mayKeep(byteLength)) {
      // Before the head leaves, a file that changes can still be read again.
      content = await open.readPart(0, byteLength, context.firstGrowth);
      if (content !== undefined && isSettled(representation.facts, nowMs))
        this.#cache.keep(
          known,
          representation,
          content,
          new HttpResponse(content, { headers: fileHeaders(known, representation, { ...context, variesOn: [] }) }),
        );
    }
    const response = content && (await fileResponse(request, known, representation, content, context));
    if (response === undefined) this.#cache.delete(known.path);
    return response;
  }

  async #respondToDirectory(
    question: Question,
    { key, segments, namesDirectory, query }: FilePath,
  ): Promise<HttpResponse | undefined> {
    const { nowMs } = question;
    const last = segments.at(-1);
    if (!namesDirectory && last !== undefined) {
      // Relative, so that no path can be read as another host, and a proxy's prefix stays.
      return HttpResponse.redirect(`./${encodeURIComponent(last)}/${query}`, 308);
    }
    const index = await this.#finder.find(key, [...segments, INDEX], nowMs);
    if (index.ok && index.value.kind === 'file')
      return this.#respondWithKnown(question, index.value.known, index.value.file);
    if (!index.ok && index.error !== 'not-found') return errorResponse(PROBLEM_STATUS[index.error]);
    if (this.#options.listing === false) return errorResponse(404);
    return this.#respondWithListing(segments, parseListingView(query));
  }

  async #respondWithListing(segments: readonly string[], view: ListingView): Promise<HttpResponse> {
    const isVisible = (name: string): boolean =>
      problemOfName(name, segments.length === 0, this.#options.dotfiles ?? 'deny') === undefined;
    const listed = await this.#disk.list(segments, MAX_LISTED_ENTRIES, isVisible);
    if (!listed.ok) return errorResponse(PROBLEM_STATUS[listed.error]);
    const { entries, omitted, unnameable } = listed.value;
    const shown =
      view.order === 'name'
        ? await this.#disk.measure(segments, pageOf(sortByName(entries, view.descending), view))
        : pageOf(sortBySize(await this.#disk.measure(segments, entries), view), view);
    const directories = entries.filter(({ kind }) => kind === 'directory').length;
    const page = renderListing({
      segments,
      view,
      entries: shown,
      pages: pageCount(entries.length),
      directories,
      files: entries.length - directories,
      omitted,
      unnameable,
    });
    return new HttpResponse(page, { headers: LISTING_HEADERS });
  }

  async #respondToMissing(question: Question, path: FilePath, problem: DiskProblem): Promise<HttpResponse | undefined> {
    const { request, nowMs } = question;
    if (problem !== 'not-found') return errorResponse(PROBLEM_STATUS[problem], problem === 'busy' ? RETRY_SOON : {});
    if (this.#options.spa !== true || !mayBePage(path)) return errorResponse(404);
    // The answer depends on the client, and caches have to know.
    if (!asksForPage(request)) return errorResponse(404, { Vary: ACCEPT });
    const remembered = await this.#recall('/', nowMs);
    if (remembered !== undefined) return this.#respondWithKnown(question, remembered, undefined, [ACCEPT]);
    const index = await this.#finder.find('/', [INDEX], nowMs);
    return index.ok && index.value.kind === 'file'
      ? this.#respondWithKnown(question, index.value.known, index.value.file, [ACCEPT])
      : errorResponse(404);
  }

  /**
   * A file that is being written while it is asked for is sent as long as it was: it has no strong tag, so its parts are
   * never put together with others. While nothing has been said of it, it is rather looked at again.
   */
  #growthOf(
    { path }: KnownFile,
    { facts }: Representation,
    { nowMs, isLastAttempt }: Question,
  ): Pick<FileResponseContext, 'growth' | 'firstGrowth'> {
    if (this.#appendOnly?.test(path) === true) return { growth: 'append', firstGrowth: 'append' };
    const growth = isSettled(facts, nowMs) ? 'change' : 'append';
    return { growth, firstGrowth: isLastAttempt ? growth : 'change' };
  }

  #cacheControlOf({ path }: KnownFile): string {
    return this.#immutable?.test(path) === true ? IMMUTABLE : (this.#options.cacheControl ?? 'no-cache');
  }
}

/** With `g` or `y` a pattern remembers where it matched last, and would match every other time. */
const withoutMemory = (pattern: RegExp | undefined): RegExp | undefined =>
  pattern && new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));

/** Whether preconditions or ranges may change the response. A request that is not ours is always asked. */
const mayDependOnFields = (request: Request): boolean => !(request instanceof HttpRequest) || isConditional(request);

function representationFor(request: Request, known: KnownFile): Representation {
  if (known.codings.length === 0) return known.original;
  const coding = chooseCoding(request.headers.get('accept-encoding'), known.codings);
  return known.sidecars.find((sidecar) => sidecar.coding === coding) ?? known.original;
}

/**
 * A page of an application, not one of its assets: those have an extension, and a missing one should be seen to be
 * missing.
 */
const mayBePage = ({ segments }: FilePath): boolean => !(segments.at(-1) ?? '').includes('.');

const asksForPage = (request: Request): boolean => /\btext\/html\b/i.test(request.headers.get(ACCEPT) ?? '');

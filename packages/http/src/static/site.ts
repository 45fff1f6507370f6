// A root and what is answered from it: which file, whether it may be seen, which representation of it.

import type { OwnBytes } from '../fetch/content.ts';
import { HttpRequest, isConditional } from '../fetch/request.ts';
import { HttpResponse, responseOf } from '../fetch/response.ts';
import type { Compressor, GeneratedCoding } from './compression.ts';
import type { DiskProblem, DiskRoot } from './disk.ts';
import type { OpenFile } from './disk-file.ts';
import { chooseCoding } from './encoding.ts';
import type { ErrorPages } from './error-pages.ts';
import type { FileCache, KnownFile, Representation } from './file-cache.ts';
import type { FileFinder } from './file-finder.ts';
import {
  errorResponse,
  fileHeaders,
  fileResponse,
  isDecided,
  isSettled,
  type FileContent,
  type FileResponseContext,
} from './file-response.ts';
import { parseListingView } from './listing-order.ts';
import { listingResponse, PROBLEM_STATUS } from './listing-response.ts';
import { parseFilePath, pathOfTarget, type FilePath } from './path.ts';
import type { ResponseFields } from './response-fields.ts';

const INDEX = 'index.html';
// A file that is rewritten while it is read is read again; more often, a process does nothing but write it.
const MAX_ATTEMPTS = 3;
const ACCEPT = 'Accept';
const NOTHING = new Uint8Array(0);
const RETRY_SOON = { 'Retry-After': '1' };
const IMMUTABLE = 'public, max-age=31536000, immutable';

/** One request, on its way through what was found for it. */
export interface Question {
  readonly request: Request;
  readonly target: string;
  readonly nowMs: number;
  /** The client came by TLS, where that makes a difference. */
  readonly isSecure: boolean;
  /** What changes now is not looked at again. */
  readonly isLastAttempt: boolean;
}

/** What a site is made of, and how it answers. */
export interface SiteParts {
  readonly disk: DiskRoot;
  readonly cache: FileCache;
  readonly finder: FileFinder;
  readonly compressor: Compressor | undefined;
  readonly fields: ResponseFields;
  readonly errorPages: ErrorPages;
  readonly dotfiles: 'deny' | 'allow';
  readonly listing: boolean;
  readonly spa: boolean;
  readonly cacheControl: string;
  readonly immutable: RegExp | undefined;
  readonly appendOnly: RegExp | undefined;
}

export class Site {
  readonly #parts: SiteParts;
  readonly #cache: FileCache;
  readonly #finder: FileFinder;

  constructor(parts: SiteParts) {
    this.#parts = parts;
    this.#cache = parts.cache;
    this.#finder = parts.finder;
  }

  /**
   * The response that most requests get: a small file that was looked at a moment ago, whole. Nothing is waited for.
   */
  responseFromMemory({ request, target, nowMs, isSecure }: Question): HttpResponse | undefined {
    const known = this.#cache.get(pathOnly(target));
    if (known === undefined || !this.#cache.isFresh(known, nowMs) || mayDependOnFields(request)) return undefined;
    return keptResponse(representationFor(request, known), isSecure);
  }

  async respond(question: Question): Promise<HttpResponse> {
    const parsed = parseFilePath(pathOfTarget(question.target), this.#parts.dotfiles);
    if (!parsed.ok) return this.finish(question, errorResponse(parsed.error));
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const response = await this.#tryToRespond({ ...question, isLastAttempt: attempt === MAX_ATTEMPTS }, parsed.value);
      if (response !== undefined) return this.finish(question, response);
    }
    return this.finish(question, errorResponse(503, RETRY_SOON));
  }

  /** A response with a page of the site where it is an error, and with the fields of its path. */
  async finish({ request, target, nowMs, isSecure }: Question, response: HttpResponse): Promise<HttpResponse> {
    const page =
      response.status < 400 ? undefined : await this.#parts.errorPages.pageFor(response, request.method, nowMs);
    const finished = page ?? response;
    const { fields } = this.#parts;
    // What is kept has them already, and is not to be changed.
    if (!fields.isEmpty && !isKept(finished)) fields.addTo(finished, pathOnly(pathOfTarget(target)), isSecure);
    return finished;
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
    const { kept } = representation;
    if (kept !== undefined) {
      file?.close();
      const needsOwnResponse = variesOn.length > 0 || mayDependOnFields(request);
      return needsOwnResponse
        ? fileResponse(request, known, representation, kept.bytes, context)
        : keptResponse(representation, question.isSecure);
    }
    if (representation.generated !== undefined) {
      const bytes = isDecided(request, known, representation, nowMs)
        ? NOTHING
        : await this.#compress(known, representation, representation.generated, context);
      if (bytes === undefined) return this.#respondWithContent(question, known, known.original, file, context);
      file?.close();
      return fileResponse(request, known, representation, bytes, context);
    }
    return this.#respondWithContent(question, known, representation, file, context);
  }

  /** With the content of a file. `file` is the original, if it is open already. */
  async #respondWithContent(
    question: Question,
    known: KnownFile,
    representation: Representation,
    file: OpenFile | undefined,
    context: FileResponseContext,
  ): Promise<HttpResponse | undefined> {
    const { request, nowMs } = question;
    let open = file;
    if (open === undefined || representation.segments !== known.original.segments) {
      const reopened = await this.#finder.open(representation);
      if (!reopened.ok && representation !== known.original) {
        // Unreadable, or it leads out of the root: none of that makes the original any less there.
        this.#finder.forgetSidecar(known, representation);
        return this.#respondWithKnown(question, known, file, context.variesOn);
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
    if (this.#cache.mayKeep(known, byteLength)) {
      // Before the head leaves, a file that changes can still be read again.
      known.isBeingKept = true;
      content = await open.readPart(0, byteLength, context.firstGrowth);
      known.isBeingKept = false;
      if (content !== undefined && isSettled(representation.facts, nowMs))
        this.#keep(known, representation, content, context);
    }
    const response = content && (await fileResponse(request, known, representation, content, context));
    if (response === undefined) this.#cache.delete(known.path);
    return response;
  }

  /** Undefined where that is not worth it, or can't be done just now. */
  async #compress(
    known: KnownFile,
    representation: Representation,
    coding: GeneratedCoding,
    context: FileResponseContext,
  ): Promise<OwnBytes | undefined> {
    const { original } = known;
    const bytes = await this.#parts.compressor?.compress(representation, coding, async () => {
      if (original.kept !== undefined) return original.kept.bytes;
      const opened = await this.#finder.open(original);
      return opened.ok ? opened.value.readPart(0, original.facts.byteLength, 'change') : undefined;
    });
    if (bytes === undefined) return undefined;
    if (bytes.length >= original.facts.byteLength) {
      this.#finder.forgetGenerated(known);
      return undefined;
    }
    if (this.#cache.mayKeepGenerated(bytes.length) && isSettled(original.facts, context.nowMs))
      this.#keep(known, representation, bytes, context);
    return bytes;
  }

  /** Keeps a content with the responses that consist of it. */
  #keep(known: KnownFile, representation: Representation, bytes: OwnBytes, context: FileResponseContext): void {
    const { fields } = this.#parts;
    const make = (isSecure: boolean): HttpResponse => {
      const headers = fileHeaders(known, representation, { ...context, variesOn: [] });
      const response = responseOf(bytes, {
        headers: fields.isEmpty ? headers : fields.added(headers, known.path, isSecure),
      });
      keptResponses.add(response);
      return response;
    };
    const response = make(false);
    this.#cache.keep(known, representation, {
      bytes,
      response,
      responseOverTls: fields.dependsOnScheme ? make(true) : response,
    });
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
    if (!this.#parts.listing) return errorResponse(404);
    return listingResponse(this.#parts.disk, segments, parseListingView(query), this.#parts.dotfiles);
  }

  async #respondToMissing(question: Question, path: FilePath, problem: DiskProblem): Promise<HttpResponse | undefined> {
    const { request, nowMs } = question;
    if (problem !== 'not-found') return errorResponse(PROBLEM_STATUS[problem], problem === 'busy' ? RETRY_SOON : {});
    if (!this.#parts.spa || !mayBePage(path)) return errorResponse(404);
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
    if (this.#parts.appendOnly?.test(path) === true) return { growth: 'append', firstGrowth: 'append' };
    const growth = isSettled(facts, nowMs) ? 'change' : 'append';
    return { growth, firstGrowth: isLastAttempt ? growth : 'change' };
  }

  #cacheControlOf({ path }: KnownFile): string {
    return this.#parts.immutable?.test(path) === true ? IMMUTABLE : this.#parts.cacheControl;
  }
}

/** Whether preconditions or ranges may change the response. A request that is not ours is always asked. */
const mayDependOnFields = (request: Request): boolean => !(request instanceof HttpRequest) || isConditional(request);

function representationFor(request: Request, known: KnownFile): Representation {
  if (known.codings.length === 0) return known.original;
  const coding = chooseCoding(request.headers.get('accept-encoding'), known.codings);
  if (coding === undefined) return known.original;
  const sidecar = known.sidecars.find((each) => each.coding === coding);
  if (sidecar !== undefined || request.headers.has('range')) return sidecar ?? known.original;
  return known.generated.find((each) => each.coding === coding) ?? known.original;
}

/**
 * A page of an application, not one of its assets: those have an extension, and a missing one should be seen to be
 * missing.
 */
const mayBePage = ({ segments }: FilePath): boolean => !(segments.at(-1) ?? '').includes('.');

const asksForPage = (request: Request): boolean => /\btext\/html\b/i.test(request.headers.get(ACCEPT) ?? '');

const pathOnly = (target: string): string => {
  const queryStart = target.indexOf('?');
  return queryStart < 0 ? target : target.slice(0, queryStart);
};

const keptResponses = new WeakSet<HttpResponse>();
const isKept = (response: HttpResponse): boolean => keptResponses.has(response);

const keptResponse = ({ kept }: Representation, isSecure: boolean): HttpResponse | undefined =>
  isSecure ? kept?.responseOverTls : kept?.response;

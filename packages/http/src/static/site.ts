// A root and what is answered from it: which file, whether it may be seen, and what there is in the place of none.

import { redirectTarget } from '../fetch/redirect-target.ts';
import { copyOfKept, responseOf, type HttpResponse } from '../fetch/response.ts';
import type { DiskProblem, DiskRoot } from './disk.ts';
import type { ErrorPages } from './error-pages.ts';
import type { FileCache, KnownFile } from './file-cache.ts';
import type { FileFinder } from './file-finder.ts';
import { FileResponder, isKept, type FileResponderParts, type Question } from './file-responder.ts';
import { errorResponse } from './file-response.ts';
import { parseListingView } from './listing-order.ts';
import { listingResponse, PROBLEM_STATUS } from './listing-response.ts';
import { parseFilePath, pathOfTarget, pathOnly, plainPath, type FilePath } from './path.ts';

const INDEX = 'index.html';
// A file that is rewritten while it is read is read again; more often, a process does nothing but write it.
const MAX_ATTEMPTS = 3;
const ACCEPT = 'Accept';
const NAMES_PAGE = /^[ \t]*text\/html[ \t]*(?:;|$)/i;
const REFUSED = /;[ \t]*q=0(?:\.0{0,3})?[ \t]*(?:;|$)/i;
const RETRY_SOON = { 'Retry-After': '1' };

/** What a site is made of, and how it answers. */
export interface SiteParts extends FileResponderParts {
  readonly disk: DiskRoot;
  readonly errorPages: ErrorPages;
  readonly dotfiles: 'deny' | 'allow';
  readonly listing: boolean;
  readonly spa: boolean;
}

export class Site {
  readonly #parts: SiteParts;
  readonly #cache: FileCache;
  readonly #finder: FileFinder;
  readonly #responder: FileResponder;

  constructor(parts: SiteParts) {
    this.#parts = parts;
    this.#cache = parts.cache;
    this.#finder = parts.finder;
    this.#responder = new FileResponder(parts);
  }

  /**
   * The response that most requests get, without a wait: of a file that was looked at a moment ago, from memory, and of
   * one that is not there. Undefined where the disk has to be asked.
   */
  respondAtOnce(question: Question): HttpResponse | Promise<HttpResponse> | undefined {
    const known = this.#cache.get(pathOnly(question.target));
    if (known === undefined) return this.#isMissing(question) ? this.finish(question, errorResponse(404)) : undefined;
    if (!this.#cache.isFresh(known, question.nowMs)) return undefined;
    const response = this.#responder.responseFromMemory(question, known);
    return response && this.finish(question, response);
  }

  #isMissing({ target }: Question): boolean {
    const { disk, dotfiles, spa } = this.#parts;
    const parsed = parseFilePath(pathOfTarget(target), dotfiles);
    return parsed.ok && !(spa && mayBePage(parsed.value)) && disk.isMissing(parsed.value.segments);
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
  finish(question: Question, response: HttpResponse): HttpResponse | Promise<HttpResponse> {
    const { request, nowMs } = question;
    const page = response.status < 400 ? undefined : this.#parts.errorPages.pageFor(response, request.method, nowMs);
    return page instanceof Promise
      ? page.then((found) => this.#withFields(question, found ?? response))
      : this.#withFields(question, page ?? response);
  }

  #withFields({ target, isSecure }: Question, response: HttpResponse): HttpResponse {
    // It has all fields already, and the caller may do with what it gets as it likes.
    if (isKept(response)) return copyOfKept(response);
    const { fields } = this.#parts;
    if (!fields.isEmpty) fields.addTo(response, plainPath(target), isSecure);
    return response;
  }

  /** Undefined when what was found changed before it could be read: look again. So it is with all that follow. */
  async #tryToRespond(question: Question, path: FilePath): Promise<HttpResponse | undefined> {
    const { nowMs } = question;
    const remembered = await this.#recall(path.key, nowMs);
    if (remembered !== undefined) return this.#responder.respond(question, remembered, undefined);
    // A file named like a directory is not found, and not to be remembered either.
    const found = await this.#finder.find(path.namesDirectory ? undefined : path.key, path.segments, nowMs);
    if (!found.ok) return this.#respondToMissing(question, path, found.error);
    if (found.value.kind === 'directory') return this.#respondToDirectory(question, path);
    const { known, file } = found.value;
    if (path.namesDirectory) {
      file?.close();
      return errorResponse(404);
    }
    return this.#responder.respond(question, known, file);
  }

  /** What was found under `key` before, if it is still there and the same. */
  async #recall(key: string, nowMs: number): Promise<KnownFile | undefined> {
    const known = this.#cache.get(key);
    return known === undefined || this.#cache.isFresh(known, nowMs) ? known : this.#finder.recheck(known, nowMs);
  }

  async #respondToDirectory(
    question: Question,
    { key, segments, namesDirectory, query }: FilePath,
  ): Promise<HttpResponse | undefined> {
    const { nowMs } = question;
    const last = segments.at(-1);
    if (!namesDirectory && last !== undefined) {
      // Relative, so that no path can be read as another host, and a proxy's prefix stays.
      // Fields may be added to it, so it is none of `HttpResponse.redirect`.
      return responseOf(null, {
        status: 308,
        headers: { Location: redirectTarget(`./${encodeURIComponent(last)}/${query}`) },
      });
    }
    const index = await this.#finder.find(key, [...segments, INDEX], nowMs);
    if (index.ok && index.value.kind === 'file')
      return this.#responder.respond(question, index.value.known, index.value.file);
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
    if (remembered !== undefined) return this.#responder.respond(question, remembered, undefined, [ACCEPT]);
    const index = await this.#finder.find('/', [INDEX], nowMs);
    return index.ok && index.value.kind === 'file'
      ? this.#responder.respond(question, index.value.known, index.value.file, [ACCEPT])
      : errorResponse(404);
  }
}

/**
 * A page of an application, not one of its assets: those have an extension, and a missing one should be seen to be
 * missing.
 */
const mayBePage = ({ segments }: FilePath): boolean => !(segments.at(-1) ?? '').includes('.');

/** A script takes anything; who wants a page names it, with a weight that is not 0 (RFC 9110 §12.4.2). */
const asksForPage = (request: Request): boolean =>
  (request.headers.get(ACCEPT) ?? '').split(',').some((range) => NAMES_PAGE.test(range) && !REFUSED.test(range));

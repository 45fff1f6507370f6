// Pages of the site in place of the sentences that errors are answered with.
//
// A page is kept, and looked at again after the time that small files are: errors are what floods of wrong paths get,
// and are to cost less than files.

import type { OwnBytes } from '../fetch/content.ts';
import { responseOf, type HttpResponse } from '../fetch/response.ts';
import type { DiskRoot } from './disk.ts';
import type { FileCache, KnownFile } from './file-cache.ts';
import type { FileFinder } from './file-finder.ts';
import { isSettled, STATUS_TEXTS } from './file-response.ts';
import { parseFilePath } from './path.ts';

/** What a request for a file may be answered with beside success. */
export type ErrorStatus = keyof typeof STATUS_TEXTS;
export const ERROR_STATUSES: readonly number[] = Object.keys(STATUS_TEXTS).map(Number);

// Larger pages are none: each error would send so much.
const MAX_PAGE_BYTES = 1_048_576;

interface PageContent {
  readonly known: KnownFile;
  readonly bytes: OwnBytes;
}

interface ErrorPage {
  readonly segments: readonly string[];
  /** Undefined where there was none at the last look. */
  content: PageContent | undefined;
  checkedMs: number;
  /** The look at the disk that is going on: one is enough for all who wait. */
  look: Promise<PageContent | undefined> | undefined;
}

export class ErrorPages {
  readonly #cache: FileCache;
  readonly #finder: FileFinder;
  readonly #pages = new Map<number, ErrorPage>();

  /** Throws a TypeError for a status without a page of its own, and for a path that names no file. */
  constructor(cache: FileCache, finder: FileFinder, pages: Readonly<Partial<Record<number, string>>>) {
    this.#cache = cache;
    this.#finder = finder;
    for (const [status, path = ''] of Object.entries(pages)) {
      const problem = problemOfErrorPage(Number(status), path);
      const parsed = parseFilePath(path, 'allow');
      if (problem !== undefined || !parsed.ok) throw new TypeError(problem ?? path);
      const { segments } = parsed.value;
      this.#pages.set(Number(status), { segments, content: undefined, checkedMs: -Infinity, look: undefined });
    }
  }

  /**
   * The page for an error, with the status and the fields of `response`; undefined where there is none. At once, unless
   * the disk has to be looked at.
   */
  pageFor(
    response: HttpResponse,
    method: string,
    nowMs: number,
  ): HttpResponse | undefined | Promise<HttpResponse | undefined> {
    const page = this.#pages.get(response.status);
    if (page === undefined) return undefined;
    if (this.#cache.isFresh(page, nowMs)) return pageOf(page.content, response, method);
    page.look ??= this.#look(page, nowMs);
    return page.look.then((content) => pageOf(content, response, method));
  }

  async #look(page: ErrorPage, nowMs: number): Promise<PageContent | undefined> {
    try {
      const isSame =
        page.content !== undefined && (await this.#finder.recheck(page.content.known, nowMs)) !== undefined;
      const content = isSame ? page.content : await this.#read(page.segments, nowMs);
      const isKept = this.#mayKeep(content, nowMs);
      page.content = isKept ? content : undefined;
      page.checkedMs = isKept ? nowMs : -Infinity;
      return content;
    } finally {
      page.look = undefined;
    }
  }

  /** What small files have to fulfil; and that there is no page, where anything is kept. */
  #mayKeep(content: PageContent | undefined, nowMs: number): boolean {
    const { maxBytes, maxFileBytes } = this.#cache.limits;
    if (content === undefined) return maxBytes > 0;
    const { facts } = content.known.original;
    return facts.byteLength <= Math.min(maxBytes, maxFileBytes) && isSettled(facts, nowMs);
  }

  async #read(segments: readonly string[], nowMs: number): Promise<PageContent | undefined> {
    const found = await this.#finder.find(undefined, segments, nowMs);
    if (!found.ok || found.value.kind === 'directory') return undefined;
    const { known, file } = found.value;
    const { byteLength } = known.original.facts;
    if (byteLength > MAX_PAGE_BYTES) file?.close();
    const bytes = byteLength > MAX_PAGE_BYTES ? undefined : await file?.readPart(0, byteLength, 'append');
    return bytes && { known, bytes };
  }
}

function pageOf(content: PageContent | undefined, response: HttpResponse, method: string): HttpResponse | undefined {
  if (content === undefined) return undefined;
  const { headers, status } = response;
  headers.set('Content-Type', content.known.mediaType);
  headers.set('Content-Length', String(content.bytes.length));
  return responseOf(method === 'HEAD' ? null : content.bytes, { status, headers });
}

/** Why a page can't be one, as a sentence. */
export function problemOfErrorPage(status: number, path: string): string | undefined {
  if (!ERROR_STATUSES.includes(status)) return `${status} is none of ${ERROR_STATUSES.join(', ')}`;
  const parsed = parseFilePath(path, 'allow');
  return path.startsWith('/') && parsed.ok && !parsed.value.namesDirectory
    ? undefined
    : `'${path}' is not the path of a file, such as /404.html`;
}

/** Why a page that `problemOfErrorPage` has nothing against would not be sent as the disk is now, as a sentence. */
export async function findProblemOfErrorPage(disk: DiskRoot, path: string): Promise<string | undefined> {
  const parsed = parseFilePath(path, 'allow');
  if (!parsed.ok) return `'${path}' is not the path of a file`;
  const found = await disk.open(parsed.value.segments);
  if (!found.ok) return found.error === 'not-found' ? 'there is no such file below ROOT' : "the file can't be read";
  if (found.value.kind === 'directory') return 'it is a directory';
  const { byteLength } = found.value.facts;
  found.value.close();
  return byteLength > MAX_PAGE_BYTES
    ? `it has ${byteLength} bytes, and a page has at most ${MAX_PAGE_BYTES}: each error would send so much`
    : undefined;
}

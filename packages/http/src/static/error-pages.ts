// Pages of the site in place of the sentences that errors are answered with.

import { responseOf, type HttpResponse } from '../fetch/response.ts';
import type { FileCache, KnownFile } from './file-cache.ts';
import type { FileFinder } from './file-finder.ts';
import { STATUS_TEXTS } from './file-response.ts';
import { parseFilePath } from './path.ts';

/** What a request for a file may be answered with beside success. */
export type ErrorStatus = keyof typeof STATUS_TEXTS;
export const ERROR_STATUSES: readonly number[] = Object.keys(STATUS_TEXTS).map(Number);

// It is read whole each time, unless it is small enough to be kept.
const MAX_PAGE_BYTES = 1_048_576;

export class ErrorPages {
  readonly #cache: FileCache;
  readonly #finder: FileFinder;
  readonly #segments = new Map<number, readonly string[]>();

  /** Throws a TypeError for a status without a page of its own, and for a path that names no file. */
  constructor(cache: FileCache, finder: FileFinder, pages: Readonly<Partial<Record<number, string>>>) {
    this.#cache = cache;
    this.#finder = finder;
    for (const [status, path = ''] of Object.entries(pages)) {
      const problem = problemOfErrorPage(Number(status), path);
      const parsed = parseFilePath(path, 'allow');
      if (problem !== undefined || !parsed.ok) throw new TypeError(problem ?? path);
      this.#segments.set(Number(status), parsed.value.segments);
    }
  }

  /** The page for an error, with the status and the fields of `response`; undefined where there is none. */
  async pageFor(response: HttpResponse, method: string, nowMs: number): Promise<HttpResponse | undefined> {
    const segments = this.#segments.get(response.status);
    const page = segments && (await this.#read(segments, nowMs));
    if (page === undefined) return undefined;
    const { headers } = response;
    headers.set('Content-Type', page.known.mediaType);
    headers.set('Content-Length', String(page.bytes.length));
    const { status } = response;
    return responseOf(method === 'HEAD' ? null : page.bytes, { status, headers });
  }

  async #read(
    segments: readonly string[],
    nowMs: number,
  ): Promise<{ readonly known: KnownFile; readonly bytes: Uint8Array } | undefined> {
    // Kept as what a request for the page itself would find.
    const key = `/${segments.map(encodeURIComponent).join('/')}`;
    const remembered = this.#cache.get(key);
    const isFresh = remembered !== undefined && this.#cache.isFresh(remembered, nowMs);
    if (isFresh && remembered.original.kept !== undefined)
      return { known: remembered, bytes: remembered.original.kept.bytes };
    const found = await this.#finder.find(undefined, segments, nowMs);
    if (!found.ok || found.value.kind === 'directory') return undefined;
    const { known, file } = found.value;
    const { byteLength } = known.original.facts;
    if (byteLength > MAX_PAGE_BYTES) file?.close();
    const bytes = byteLength > MAX_PAGE_BYTES ? undefined : await file?.readPart(0, byteLength, 'append');
    return bytes && { known, bytes };
  }
}

/** Why a page can't be one, as a sentence. */
export function problemOfErrorPage(status: number, path: string): string | undefined {
  if (!ERROR_STATUSES.includes(status)) return `${status} is none of ${ERROR_STATUSES.join(', ')}`;
  const parsed = parseFilePath(path, 'allow');
  return path.startsWith('/') && parsed.ok && !parsed.value.namesDirectory
    ? undefined
    : `'${path}' is not the path of a file, such as /404.html`;
}

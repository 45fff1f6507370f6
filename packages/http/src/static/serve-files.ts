// Files as a fetch handler: the options, and the response that most requests get.

import { systemClock, type Clock } from '@wellknown/core';
import { asOfPackage, type FetchHandler, type RequestContext } from '../handler.ts';
import { Compressor, DEFAULT_COMPRESSION, type CompressionLimits } from './compression.ts';
import { DiskRoot, type SymlinkPolicy } from './disk.ts';
import { ErrorPages, type ErrorStatus } from './error-pages.ts';
import { DEFAULT_FILE_CACHE, FileCache, type FileCacheLimits } from './file-cache.ts';
import { FileFinder } from './file-finder.ts';
import { errorResponse } from './file-response.ts';
import { pathOfTarget } from './path.ts';
import { ResponseFields, withoutMemory, type HeaderRule } from './response-fields.ts';
import { Site } from './site.ts';

export interface ServeFilesOptions {
  /** Answers a directory without index.html with a page that lists it; otherwise with 404. */
  readonly listing?: boolean;
  /** Answers what is not there, when a browser asks for a page, with the root's index.html. */
  readonly spa?: boolean;
  /** The Cache-Control of every file. The default lets caches keep it and has them ask first. */
  readonly cacheControl?: string;
  /**
   * Paths that match, decoded, never change: they are sent with `public, max-age=31536000, immutable`. For names that
   * hold a hash.
   */
  readonly immutable?: RegExp;
  /**
   * Paths that match, decoded, are only ever appended to, as logs are: one that grows while it is sent
   * arrives with the length that it had. So does one that was written less than two seconds before it is asked for. Any
   * other file that grows meanwhile ends the connection, since a new content that is longer looks the same.
   */
  readonly appendOnly?: RegExp;
  /**
   * Sends `name.br`, `name.zst` or `name.gz` in place of `name`, where there is one that is not older and the client
   * takes it.
   */
  readonly precompressed?: boolean;
  /**
   * Compresses text that has no such file beside it, by Brotli or gzip, for clients that take it: true, or where it
   * differs from DEFAULT_COMPRESSION. A range is of the file as it is.
   */
  readonly compress?: boolean | Partial<CompressionLimits>;
  /** Fields that are added to every response, by the path that was asked for. */
  readonly headers?: readonly HeaderRule[];
  /**
   * The usual security headers: no sniffing of types, no frames of other sites, no loading by other sites, no full
   * referrer to them, and HTTPS only from the first visit over it on. Rules of `headers` may change each.
   */
  readonly securityHeaders?: boolean;
  /** Pages for errors: the status, and the path of a file below the root, such as `{ 404: '/404.html' }`. */
  readonly errorPages?: Readonly<Partial<Record<ErrorStatus, string>>>;
  readonly symlinks?: SymlinkPolicy;
  /** Names that start with a dot, except `/.well-known`, are not found unless allowed. */
  readonly dotfiles?: 'deny' | 'allow';
  /** Where it differs from DEFAULT_FILE_CACHE. `maxBytes: 0` looks at the disk for every request. */
  readonly cache?: Partial<FileCacheLimits>;
  readonly clock?: Clock;
}

const ALLOW = 'GET, HEAD';

/**
 * Serves the files below `root` for GET and HEAD. Throws at once when `root` is not a directory, or an option can't
 * hold.
 */
export function serveFiles(root: string, options: ServeFilesOptions = {}): FetchHandler {
  const {
    symlinks = 'inside',
    dotfiles = 'deny',
    precompressed = true,
    compress = false,
    clock = systemClock,
  } = options;
  const disk = new DiskRoot(root, symlinks);
  const cache = new FileCache({ ...DEFAULT_FILE_CACHE, ...options.cache });
  const compressor =
    compress === false ? undefined : new Compressor({ ...DEFAULT_COMPRESSION, ...(compress === true ? {} : compress) });
  const finder = new FileFinder(disk, cache, precompressed, compressor);
  const fields = new ResponseFields(options.headers ?? [], options.securityHeaders ?? false);
  const site = new Site({
    disk,
    cache,
    finder,
    compressor,
    fields,
    errorPages: new ErrorPages(cache, finder, options.errorPages ?? {}),
    dotfiles,
    listing: options.listing ?? true,
    spa: options.spa ?? false,
    cacheControl: options.cacheControl ?? 'no-cache',
    immutable: withoutMemory(options.immutable),
    appendOnly: withoutMemory(options.appendOnly),
  });
  return asOfPackage((request: Request, context?: RequestContext) => {
    const target = context === undefined ? pathOfTarget(request.url) : context.rawTarget;
    const question = {
      request,
      target,
      nowMs: clock.wallMs(),
      isSecure: fields.dependsOnScheme && context?.client.scheme === 'https',
      isLastAttempt: false,
    };
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return site.finish(question, errorResponse(405, { Allow: ALLOW }));
    return site.respondAtOnce(question) ?? site.respond(question);
  });
}

// From a request path to a known file: out of the cache while it is fresh, otherwise from the disk.

import { lookup } from 'mrmime';
import { fail, ok, type Result } from '@wellknown/core';
import { GENERATED_CODINGS, type Compressor } from './compression.ts';
import type { DiskProblem, DiskRoot } from './disk.ts';
import type { OpenFile } from './disk-file.ts';
import { SIDECARS, type Coding } from './encoding.ts';
import type { FileCache, KnownFile, Representation } from './file-cache.ts';
import { plainPath } from './path.ts';

/** `file` is open and belongs to the caller. */
export interface FoundFile {
  readonly kind: 'file';
  readonly known: KnownFile;
  readonly file: OpenFile | undefined;
}

export type Finding = FoundFile | { readonly kind: 'directory' };

export class FileFinder {
  readonly #disk: DiskRoot;
  readonly #cache: FileCache;
  readonly #sidecars: boolean;
  readonly #compressor: Compressor | undefined;

  constructor(disk: DiskRoot, cache: FileCache, sidecars: boolean, compressor: Compressor | undefined) {
    this.#disk = disk;
    this.#cache = cache;
    this.#sidecars = sidecars;
    this.#compressor = compressor;
  }

  /** Looks again at a file that was known once; undefined when it is no longer the same. */
  recheck(known: KnownFile, nowMs: number): Promise<KnownFile | undefined> {
    known.look ??= this.#look(known, nowMs).finally(() => (known.look = undefined));
    return known.look;
  }

  async #look(known: KnownFile, nowMs: number): Promise<KnownFile | undefined> {
    const representations = this.#sidecars ? [known.original, ...known.sidecars] : [known.original];
    const looks = await Promise.all(
      representations.map(
        async ({ segments, facts }) => (await this.#disk.look(segments))?.identity === facts.identity,
      ),
    );
    const isSame =
      looks.every((same) => same) && (await this.#sidecarsOf(known.original)).length === known.sidecars.length;
    if (!isSame) {
      this.#cache.delete(known.path);
      return undefined;
    }
    known.checkedMs = nowMs;
    return known;
  }

  /** Opens what lies at `segments`, and remembers it under `path`, if one is given. */
  async find(
    path: string | undefined,
    segments: readonly string[],
    nowMs: number,
  ): Promise<Result<Finding, DiskProblem>> {
    const opened = await this.#disk.open(segments);
    if (!opened.ok) return opened;
    if (opened.value.kind === 'directory') return ok(opened.value);
    const file = opened.value;
    const original: Representation = { coding: undefined, segments, facts: file.facts, kept: undefined };
    const sidecars = await this.#sidecarsOf(original);
    const mediaType = mediaTypeOf(segments.at(-1) ?? '');
    const generated = this.#generatedOf(original, mediaType, sidecars);
    const known: KnownFile = {
      mediaType,
      path: path ?? '',
      plainPath: plainPath(path ?? ''),
      original,
      sidecars,
      generated,
      codings: codingsOf([...sidecars, ...generated]),
      checkedMs: nowMs,
      used: false,
      keptBytes: 0,
      readMs: Number.NEGATIVE_INFINITY,
      isBeingKept: false,
      look: undefined,
    };
    if (path !== undefined) this.#cache.set(known);
    return ok({ kind: 'file', known, file });
  }

  /** Opens one representation of a known file; `not-found` when it has changed since. */
  async open({ segments, facts }: Representation): Promise<Result<OpenFile, DiskProblem>> {
    const opened = await this.#disk.open(segments);
    if (!opened.ok) return opened;
    if (opened.value.kind === 'directory') return fail('not-found');
    if (opened.value.facts.identity === facts.identity) return ok(opened.value);
    opened.value.close();
    return fail('not-found');
  }

  /**
   * From now on the file is known without this sidecar, which can't be opened as it was found. The next look at the
   * disk finds it again.
   */
  forgetSidecar(known: KnownFile, sidecar: Representation): void {
    known.sidecars = known.sidecars.filter((other) => other !== sidecar);
    known.codings = codingsOf([...known.sidecars, ...known.generated]);
  }

  /** What the server made of it is no smaller: from now on it is known without. */
  forgetGenerated(known: KnownFile): void {
    known.generated = [];
    known.codings = codingsOf(known.sidecars);
  }

  /** What may be made of a file that has nothing of the kind beside it. */
  #generatedOf(
    { segments, facts }: Representation,
    mediaType: string,
    sidecars: readonly Representation[],
  ): Representation[] {
    if (this.#compressor?.mayCompress(mediaType, facts.byteLength) !== true || sidecars.length > 0) return [];
    return GENERATED_CODINGS.map((coding) => ({ coding, generated: coding, segments, facts, kept: undefined }));
  }

  /** The compressed files beside a file. One that is older holds what the file once was. */
  async #sidecarsOf({ segments, facts }: Representation): Promise<Representation[]> {
    if (!this.#sidecars) return [];
    const directory = segments.slice(0, -1);
    const name = segments.at(-1) ?? '';
    const found = await Promise.all(
      SIDECARS.map(async ({ coding, extension }): Promise<Representation | undefined> => {
        const beside = [...directory, name + extension];
        const sidecar = await this.#disk.look(beside);
        return sidecar === undefined || sidecar.modifiedMs < facts.modifiedMs
          ? undefined
          : { coding, segments: beside, facts: sidecar, kept: undefined };
      }),
    );
    return found.filter((representation) => representation !== undefined);
  }
}

const codingsOf = (sidecars: readonly Representation[]): Coding[] =>
  sidecars.flatMap(({ coding }) => (coding === undefined ? [] : [coding]));

/**
 * The media type for a file name, with a charset for text; `application/octet-stream` when the extension says nothing.
 */
export function mediaTypeOf(fileName: string): string {
  // The table is a plain object, and `lookup` finds what every object has: `x.constructor` is no type.
  const found: unknown = lookup(fileName);
  const type = typeof found === 'string' ? found : 'application/octet-stream';
  // Files are served as they lie on the disk, and those of today are UTF-8.
  return type.startsWith('text/') || type === 'image/svg+xml' ? `${type};charset=utf-8` : type;
}

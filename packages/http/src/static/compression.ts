// Compression of text that has no compressed file beside it: in other threads, a few at a time, and once for each content
// that is kept.

import { promisify } from 'node:util';
import type zlib from 'node:zlib';
import { lateBuiltin } from '@wellknown/core';
import type { OwnBytes } from '../fetch/content.ts';

/** What the platform makes on the fly, best first. */
export const GENERATED_CODINGS = ['br', 'gzip'] as const;
export type GeneratedCoding = (typeof GENERATED_CODINGS)[number];

export interface CompressionLimits {
  /** Smaller files are sent as they are. */
  readonly minBytes: number;
  /** Larger ones too. */
  readonly maxBytes: number;
  /** Files that are being compressed at the same time; others are sent as they are meanwhile. */
  readonly maxConcurrent: number;
}

export const DEFAULT_COMPRESSION: CompressionLimits = {
  // It fits into the first packet together with its head.
  minBytes: 1_024,
  // A thread is busy with it for some 20 ms. What is larger is better compressed once, into a file beside it.
  maxBytes: 1_048_576,
  // Of the four threads that libuv has. Passwords are checked in two: who has both wants more of them (UV_THREADPOOL_SIZE).
  maxConcurrent: 2,
};

// Text, and what is text by another name. Images, fonts of the web, archives and films are compressed as they are.
const COMPRESSIBLE =
  /^(?:text\/|image\/(?:svg\+xml|bmp)|font\/(?:ttf|otf|collection)|application\/(?:(?:[\w.-]+\+)?(?:json|xml)|javascript|ecmascript|wasm|rtf|toml|sql|x-sh|manifest)|model\/(?:obj|gltf\+json)|message\/)/;

export const isCompressible = (mediaType: string): boolean => COMPRESSIBLE.test(mediaType);

const nodeZlib = lateBuiltin('node:zlib');
const brotli = (bytes: Uint8Array, options: zlib.BrotliOptions): Promise<Buffer> =>
  promisify<zlib.InputType, zlib.BrotliOptions, Buffer>(nodeZlib().brotliCompress)(bytes, options);
const gzip = (bytes: Uint8Array): Promise<Buffer> =>
  promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(nodeZlib().gzip)(bytes, {});
// Three quarters of the way from the fastest to the smallest, at a tenth of the time.
const BROTLI_QUALITY = 5;

const COMPRESS: Readonly<Record<GeneratedCoding, (bytes: Uint8Array) => Promise<Buffer>>> = {
  br: (bytes) => {
    const { constants } = nodeZlib();
    return brotli(bytes, {
      params: {
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    });
  },
  gzip,
};

export class Compressor {
  readonly #limits: CompressionLimits;
  /** By what they are for. */
  readonly #pending = new Map<object, Promise<OwnBytes | undefined>>();

  constructor(limits: CompressionLimits) {
    this.#limits = limits;
  }

  /** Whether a file of this type and size is worth it. */
  mayCompress(mediaType: string, byteLength: number): boolean {
    return byteLength >= this.#limits.minBytes && byteLength <= this.#limits.maxBytes && isCompressible(mediaType);
  }

  /**
   * The compressed bytes that `read` gives; undefined where there are none. Who asks for the same `subject` meanwhile
   * waits for the same. Undefined at once when too many are under way.
   */
  compress(
    subject: object,
    coding: GeneratedCoding,
    read: () => Promise<Uint8Array | undefined>,
  ): Promise<OwnBytes | undefined> | undefined {
    const pending = this.#pending.get(subject);
    if (pending !== undefined) return pending;
    if (this.#pending.size >= this.#limits.maxConcurrent) return undefined;
    const compressing = (async () => {
      try {
        const bytes = await read();
        return bytes && new Uint8Array(await COMPRESS[coding](bytes));
      } finally {
        this.#pending.delete(subject);
      }
    })();
    this.#pending.set(subject, compressing);
    return compressing;
  }
}

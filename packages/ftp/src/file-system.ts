// What the server asks of a place that holds files: small, asynchronous, expected failures as values. Paths are
// absolute, POSIX and already normalised (path.ts); whether the user may write has been decided before any of these is
// called.

import type { Result } from '@wellknown/core';
import type { AbsolutePath } from './path.ts';

/** Why a file system refuses. Each has one fixed reply; messages of the operating system never reach the peer. */
export type FileProblem =
  | 'not-found'
  | 'exists'
  | 'denied'
  | 'not-directory'
  | 'is-directory'
  | 'not-empty'
  | 'bad-name'
  | 'bad-start'
  | 'no-space'
  | 'busy'
  | 'unsupported'
  | 'failed';

/** A file or a directory. A link that may be followed appears as what it leads to; everything else does not appear. */
export interface Entry {
  readonly name: string;
  readonly type: 'file' | 'directory';
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Permission bits, such as 0o644, where the file system has them. */
  readonly mode?: number;
  /** Names the same thing twice for the same file (RFC 3659 §7.5.2). */
  readonly unique?: string;
}

/** An open file to read from, in order. */
export interface ReadSource {
  /** Size at the time of opening. */
  readonly sizeBytes: number;
  /** Fills `into`; fewer bytes than it holds mean that the end has come. */
  read(into: Uint8Array): Promise<Result<number, FileProblem>>;
  /** Never rejects. */
  close(): Promise<void>;
}

/** An open file to write to, in order. Exactly one of `commit` and `abort` is called, last. */
export interface WriteTarget {
  /** The chunks may be kept; the caller does not reuse them. */
  write(chunks: readonly Uint8Array[]): Promise<Result<void, FileProblem>>;
  /** The upload is complete. Only after this has resolved is the client sent 226. */
  commit(): Promise<Result<void, FileProblem>>;
  /** The upload is not complete, and must not look as if it were. Never rejects. */
  abort(): Promise<void>;
}

export interface WriteOptions {
  /** `replace`: a new file or in place of the old one. `append`: at the end. `create`: `exists` if there is one. */
  readonly mode: 'replace' | 'append' | 'create';
  /** With `replace`: keep this many bytes of the old file and go on there; `bad-start` if it is shorter. */
  readonly startBytes?: number;
}

type Answer<Value> = Promise<Result<Value, FileProblem>>;

export interface FileSystem {
  stat(path: AbsolutePath): Answer<Entry>;
  /** The entries of a directory, in the file system's own order, without `.` and `..`. */
  list(path: AbsolutePath): Answer<AsyncIterable<Entry>>;
  /** Opens a regular file. `bad-start` when `startBytes` is beyond its end. */
  read(path: AbsolutePath, options: { readonly startBytes: number }): Answer<ReadSource>;
  write(path: AbsolutePath, options: WriteOptions): Answer<WriteTarget>;
  removeFile(path: AbsolutePath): Answer<void>;
  makeDirectory(path: AbsolutePath): Answer<void>;
  removeDirectory(path: AbsolutePath): Answer<void>;
  /** An existing file at `to` is replaced, an existing directory is not. */
  rename(from: AbsolutePath, to: AbsolutePath): Answer<void>;
  setModifiedTime(path: AbsolutePath, mtimeMs: number): Answer<void>;
  /** `mode` is at most 0o777. */
  setMode(path: AbsolutePath, mode: number): Answer<void>;
}

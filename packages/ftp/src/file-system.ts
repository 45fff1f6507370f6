// What the server asks of a place that holds files: small, asynchronous, expected failures as values.
//
// How it is called. Paths are absolute, POSIX and already normalised (path.ts). What the user may do has been decided
// before any method here is called (users/guard.ts), so a file system only says what is possible. Three methods must
// be there: `stat`, `list` and `read`. One that can't do more leaves the others out: a command that needs a missing
// method is answered 502, and its line is not in FEAT. Whatever a user can bring about should be a `FileProblem`, each of
// which has a reply of its own; an error of the operating system that means one (ENOENT, EACCES, ENOSPC and the like) may
// be thrown as it comes. Everything else that a method throws or rejects with is logged and answered 451.
//
// How long it may take. Each answer has the time of `storageTimeoutMs`: of a method, of a portion of `list`, of each call into
// an open file. What is later counts for nothing: the client was answered 451 and the next command is carried out. A change
// that comes about late stays; what is opened late is closed or aborted at once.
//
// Names are strings of JavaScript. Bytes of a name that are no UTF-8 stand in them as lone surrogates (charset.ts), so
// that a name goes to the client and comes back without losing anything; a file system that passes names on to a place
// of bytes has to turn them back with `encodeName`.

import type { Result } from '@wellknown/core';
import type { AbsolutePath } from './path.ts';

/** Why a file system refuses. Each has one fixed reply; messages of the operating system never reach the peer. */
export type FileProblem =
  | 'not-found'
  | 'exists'
  | 'denied'
  /** The file is there already, and this user may only make new ones. */
  | 'no-overwrite'
  | 'not-directory'
  | 'is-directory'
  | 'not-empty'
  | 'bad-name'
  | 'bad-start'
  /** There is no room, which may pass: another file may be deleted. */
  | 'no-space'
  /** More than this user, or this file, may ever have. */
  | 'over-quota'
  | 'busy'
  | 'unsupported'
  /** There was no answer in time, which may pass. */
  | 'timed-out'
  | 'failed';

/** A file, a directory, or a symbolic link that was not followed. Nothing else appears. */
export interface Entry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'link';
  /** Where a link leads, as it is to be shown: relative, or absolute in terms of this file system. */
  readonly target?: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. Any number is allowed: a date that no calendar has breaks no listing. */
  readonly mtimeMs: number;
  /** Permission bits, such as 0o644, where the file system has them. */
  readonly mode?: number;
  /** Numbers, or names where the file system has them. */
  readonly uid?: number | string;
  readonly gid?: number | string;
  /** Names the same thing twice for the same file (RFC 3659 §7.5.2). */
  readonly unique?: string;
}

/** An open file to read from, in order. */
export interface ReadSource {
  /** Size at the time of opening: a download that ends before it is no complete one. */
  readonly sizeBytes: number;
  /** What it reads is in memory: nothing is gained by reading ahead of the client. */
  readonly isInMemory?: boolean;
  /** Fills `into`; fewer bytes than it holds mean that the end has come. */
  read(into: Uint8Array): Promise<Result<number, FileProblem>>;
  /** Called once, also in the middle of a file, and of a `read` that does not answer in time. Never rejects. */
  close(): Promise<void>;
}

/**
 * An open file to write to, in order. Exactly one of `commit` and `abort` is called, once and last, and lets go of what the
 * target holds, whether it goes well or not. `abort` may come in the middle of a `write` that does not answer in time.
 */
export interface WriteTarget {
  /**
   * Resolves once more may come: this is the back-pressure. The chunks may be kept; the caller does not reuse them. After
   * a problem only `abort` is called.
   */
  write(chunks: readonly Uint8Array[]): Promise<Result<void, FileProblem>>;
  /** The upload is complete. Only after this has resolved is the client sent 226. With a problem, nothing new is left. */
  commit(): Promise<Result<void, FileProblem>>;
  /** The upload is not complete, and must not look as if it were. Never rejects. */
  abort(): Promise<void>;
}

/** Who asks. The server fills it in. */
export interface Caller {
  readonly user: string;
  /** The client's IP address. */
  readonly remoteAddress: string;
  /** Whether the control connection is TLS. */
  readonly secure: boolean;
}

export interface LinkOptions {
  /**
   * True: a symbolic link at the last name of the path appears as what it leads to. False: as a link. By default `stat`
   * follows and `list` does not follow the links it finds; a link to the directory that is listed is always followed.
   */
  readonly followLinks?: boolean;
}

export interface ListOptions extends LinkOptions {
  /** Uploads that other processes have under way appear too, as files of any name: they take room already. */
  readonly withUploads?: boolean;
}

export interface StatOptions extends LinkOptions {
  /**
   * A directory is to be entered (CWD): `denied` where its own permissions forbid that, in a file system that has such.
   */
  readonly toEnter?: boolean;
}

export interface ReadOptions {
  /** Where to begin; `bad-start` when this is beyond the end. */
  readonly startBytes: number;
  /**
   * Aborted when the transfer is given up, while the file is being opened or later: what waits for others then need not
   * wait.
   */
  readonly signal?: AbortSignal;
  readonly caller?: Caller;
}

/** What holds for everything that is made. */
export interface CreateOptions {
  /** Permission bits that new files and directories do not get, of SITE UMASK; by default the file system's own. */
  readonly umask?: number;
  readonly caller?: Caller;
}

export interface WriteOptions extends CreateOptions {
  /** `replace`: a new file or in place of the old one. `append`: at the end. `create`: `exists` if there is one. */
  readonly mode: 'replace' | 'append' | 'create';
  /** With `replace`: keep this many bytes of the old file and go on there; `bad-start` if it is shorter. */
  readonly startBytes?: number;
  /** How many bytes are said to come (ALLO): only a hint. */
  readonly expectedBytes?: number;
  /** Aborted when the transfer is given up, as for reading. `abort` of the target comes all the same. */
  readonly signal?: AbortSignal;
}

/** What `setTimes` changes, in milliseconds since 1970; what is left out stays. */
export interface FileTimes {
  readonly mtimeMs?: number;
  readonly atimeMs?: number;
}

/** The checksums that HASH and the X-commands know. */
export type HashAlgorithm = 'crc32' | 'md5' | 'sha1' | 'sha256' | 'sha512';

export interface HashRequest {
  readonly algorithm: HashAlgorithm;
  /** The part of the file: from `startBytes`, up to and without `endBytes`. */
  readonly startBytes: number;
  readonly endBytes: number;
  readonly signal?: AbortSignal;
}

export interface Space {
  readonly freeBytes: number;
  readonly totalBytes?: number;
}

type Answer<Value> = Promise<Result<Value, FileProblem>>;

export interface FileSystem {
  stat(path: AbsolutePath, options?: StatOptions): Answer<Entry>;
  /**
   * The entries of a directory, in the file system's own order and in portions of any size, without `.` and `..`. The
   * caller may stop early.
   */
  list(path: AbsolutePath, options?: ListOptions): Answer<AsyncIterable<readonly Entry[]>>;
  /** Opens a regular file. */
  read(path: AbsolutePath, options: ReadOptions): Answer<ReadSource>;

  write?(path: AbsolutePath, options: WriteOptions): Answer<WriteTarget>;
  /** Removes a file, or a link itself. */
  removeFile?(path: AbsolutePath): Answer<void>;
  makeDirectory?(path: AbsolutePath, options?: CreateOptions): Answer<void>;
  removeDirectory?(path: AbsolutePath): Answer<void>;
  /** An existing file at `to` is replaced, an existing directory is not. A link is renamed itself. */
  rename?(from: AbsolutePath, to: AbsolutePath): Answer<void>;
  setTimes?(path: AbsolutePath, times: FileTimes): Answer<void>;
  /** `mode` is at most 0o777. */
  setMode?(path: AbsolutePath, mode: number): Answer<void>;
  /** In lower-case hexadecimal. Where it is missing the server reads the file and counts by itself. */
  hash?(path: AbsolutePath, request: HashRequest): Answer<string>;
  /** The room below a directory (AVBL). */
  space?(path: AbsolutePath): Answer<Space>;
}

/** A file system that can do everything but checksums, which the server counts by itself. */
export type CompleteFileSystem = Required<Omit<FileSystem, 'hash'>>;

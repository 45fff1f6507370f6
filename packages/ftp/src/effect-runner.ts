// The effects that ask a file system, with a fence around it: what it throws is an expected problem of files, or `failed` and
// a line in the log.

import { fail, ok, type Logger, type Result } from '@wellknown/core';
import { countChecksum, type ChecksumRequest, type Counted } from './checksum.ts';
import type { Entry, FileProblem, FileSystem, Space } from './file-system.ts';
import { listingLines, type ListingRequest } from './listing/open-listing.ts';
import type { AbsolutePath } from './path.ts';
import type { Effect, FileChange } from './effects.ts';
import { StorageTimeout } from './storage/deadlines.ts';
import { problemOf } from './storage/errno-map.ts';

type Report = (error: unknown) => void;

// A listing over the control connection is for a look, not for a mirror; more belongs on a data connection.
const MAX_STATUS_LINES = 1000;

/** To the log go the errors of file systems that have no place in a reply. */
export const reportTo =
  (log: Logger, connection: number): Report =>
  (error) => {
    if (error instanceof StorageTimeout) {
      const { operation, path } = error;
      log.warn({ operation, path, connection }, 'the file system did not answer in time');
    } else log.error({ err: error, connection }, 'a file system call failed');
  };

async function fenced<Value>(
  report: Report,
  ask: () => Promise<Result<Value, FileProblem>>,
): Promise<Result<Value, FileProblem>> {
  try {
    return await ask();
  } catch (error) {
    return fail(problemOf(error, report));
  }
}

export const runStat = (
  fileSystem: FileSystem,
  { path, itself = false, toEnter = false }: Omit<Extract<Effect, { readonly type: 'stat' }>, 'type' | 'resume'>,
  report: Report,
): Promise<Result<Entry, FileProblem>> =>
  fenced(report, () => fileSystem.stat(path, { followLinks: !itself, toEnter }));

export const runHash = (
  fileSystem: FileSystem,
  request: ChecksumRequest,
  report: Report,
): Promise<Result<Counted, FileProblem>> => fenced(report, () => countChecksum(fileSystem, request));

export const runSpace = (
  fileSystem: FileSystem,
  path: AbsolutePath,
  report: Report,
): Promise<Result<Space, FileProblem>> =>
  fenced(report, async () => fileSystem.space?.(path) ?? fail('unsupported' as const));

export const runChange = (
  fileSystem: FileSystem,
  request: FileChange,
  report: Report,
): Promise<Result<void, FileProblem>> =>
  fenced(report, () => {
    const unsupported = Promise.resolve(fail('unsupported' as const));
    switch (request.change) {
      case 'rename':
        return fileSystem.rename?.(request.from, request.to) ?? unsupported;
      case 'setTimes':
        return fileSystem.setTimes?.(request.path, request.times) ?? unsupported;
      case 'setMode':
        return fileSystem.setMode?.(request.path, request.mode) ?? unsupported;
      case 'makeDirectory': {
        const { path, umask } = request;
        return fileSystem.makeDirectory?.(path, umask === undefined ? {} : { umask }) ?? unsupported;
      }
      case 'removeFile':
      case 'removeDirectory':
        return fileSystem[request.change]?.(request.path) ?? unsupported;
    }
  });

/** Lines about a directory's entries, or the one line about a file. */
export const runList = (
  fileSystem: FileSystem,
  request: ListingRequest,
  report: Report,
): Promise<Result<readonly string[], FileProblem>> =>
  fenced(report, async () => {
    const listing = await listingLines(fileSystem, request, MAX_STATUS_LINES);
    if (!listing.ok) return listing;
    const { lines, isCut } = listing.value;
    return ok(isCut ? [...lines, '(more entries: use LIST)'] : lines);
  });

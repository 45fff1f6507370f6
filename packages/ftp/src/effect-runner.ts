// The effects that ask a file system, with a fence around it: what it throws becomes `failed`, and a line in the log.

import { fail, ok, type Result } from '@wellknown/core';
import type { Entry, FileProblem, FileSystem } from './file-system.ts';
import { mayBeListed } from './listing.ts';
import type { AbsolutePath } from './path.ts';
import type { FileChange } from './effects.ts';

type Report = (error: unknown) => void;

// A listing over the control connection is for a look, not for a mirror; more belongs on a data connection.
const MAX_STATUS_LINES = 1000;

async function fenced<Value>(
  report: Report,
  ask: () => Promise<Result<Value, FileProblem>>,
): Promise<Result<Value, FileProblem>> {
  try {
    return await ask();
  } catch (error) {
    report(error);
    return fail('failed');
  }
}

export const runStat = (
  fileSystem: FileSystem,
  path: AbsolutePath,
  report: Report,
): Promise<Result<Entry, FileProblem>> => fenced(report, () => fileSystem.stat(path));

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
      case 'setModifiedTime':
        return fileSystem.setTimes?.(request.path, { mtimeMs: request.mtimeMs }) ?? unsupported;
      case 'setMode':
        return fileSystem.setMode?.(request.path, request.mode) ?? unsupported;
      case 'removeFile':
      case 'makeDirectory':
      case 'removeDirectory':
        return fileSystem[request.change]?.(request.path) ?? unsupported;
    }
  });

/** Lines about a directory's entries, or the one line about a file. */
export const runList = (
  fileSystem: FileSystem,
  path: AbsolutePath,
  line: (entry: Entry) => string,
  report: Report,
): Promise<Result<string[], FileProblem>> =>
  fenced(report, async () => {
    const entry = await fileSystem.stat(path);
    if (!entry.ok) return entry;
    if (entry.value.type !== 'directory') return ok([line(entry.value)]);
    const entries = await fileSystem.list(path);
    if (!entries.ok) return entries;
    const lines: string[] = [];
    for await (const portion of entries.value) {
      const listed = portion.filter(mayBeListed).map(line);
      const room = MAX_STATUS_LINES - lines.length;
      lines.push(...listed.slice(0, room));
      if (listed.length > room) {
        lines.push('(more entries: use LIST)');
        break;
      }
    }
    return ok(lines);
  });

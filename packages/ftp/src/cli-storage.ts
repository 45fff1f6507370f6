// The options that say how files are kept.

import cluster from 'node:cluster';
import { fail, ok, type Logger, type Result } from '@wellknown/core';
import { readChoice, type OptionValues, type ServerCommand } from '@wellknown/core/cli';
import type { DiskFileSystemOptions } from './storage/disk-file-system.ts';
import { sweepUploads } from './storage/disk-parts.ts';

export const STORAGE_OPTIONS = [
  {
    name: 'uploads',
    argument: 'WHERE',
    help: 'atomic: under a hidden name until they are whole; in-place: in the file itself, where their beginning stays when they are cut (default atomic)',
  },
  {
    name: 'umask',
    argument: 'MODE',
    help: 'permission bits that new files and directories do not get, in octal; default: the umask of the process',
  },
  {
    name: 'symlinks',
    argument: 'POLICY',
    help: 'deny, inside: followed where they stay under ROOT, or follow (default inside)',
  },
] as const satisfies ServerCommand['options'];

const UPLOADS = ['atomic', 'in-place'] as const;
const SYMLINKS = ['deny', 'inside', 'follow'] as const;

/** Reads the options, or says which one is wrong. */
export function readStorage(values: OptionValues): Result<DiskFileSystemOptions, string> {
  const uploads = readChoice(values, 'uploads', UPLOADS);
  if (!uploads.ok) return uploads;
  const symlinks = readChoice(values, 'symlinks', SYMLINKS);
  if (!symlinks.ok) return symlinks;
  const umask = values.text('umask');
  if (umask !== undefined && !/^0?[0-7]{3}$/.test(umask))
    return fail(`--umask '${umask}' is not three octal digits, such as 027`);
  return ok({
    ...(uploads.value !== undefined && { uploads: uploads.value }),
    ...(symlinks.value !== undefined && { symlinks: symlinks.value }),
    ...(umask !== undefined && { umask: Number.parseInt(umask, 8) }),
  });
}

/** Removes what uploads of a killed server have left, in the one process that starts the others. Nothing waits for it. */
export function sweepOnce(root: string, log: Logger): void {
  if (!cluster.isPrimary) return;
  sweepUploads(root).then(
    (removed) => {
      if (removed > 0) log.info({ root, removed }, 'parts of unfinished uploads were removed');
    },
    (error: unknown) => log.warn({ err: error, root }, 'unfinished uploads could not be looked for'),
  );
}

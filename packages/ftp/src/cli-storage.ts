// The options that say how files are kept, and the directories that users see as `/`.

import cluster from 'node:cluster';
import path from 'node:path';
import { fail, ok, type Logger, type Result } from '@wellknown/core';
import { readChoice, readNumber, type OptionValues, type ServerCommand } from '@wellknown/core/cli';
import type { FileSystem } from './file-system.ts';
import { resolvePath, type AbsolutePath } from './path.ts';
import { diskFileSystem, type DiskFileSystemOptions } from './storage/disk-file-system.ts';
import { sweepUploads } from './storage/disk-parts.ts';
import { quota } from './storage/quota.ts';
import { problemOfProgram, UploadProgram } from './upload-program.ts';

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
  {
    name: 'on-upload',
    argument: 'PROGRAM',
    help: 'run for each upload that was stored, with the path of its file as the argument and more in UPLOAD_… of the environment',
  },
  {
    name: 'quota',
    argument: 'BYTES',
    help: 'the most that a HOME may hold, and ROOT for accounts without one; what is beyond it is answered 552 (default: no limit)',
  },
] as const satisfies ServerCommand['options'];

const UPLOADS = ['atomic', 'in-place'] as const;
const SYMLINKS = ['deny', 'inside', 'follow'] as const;

/** What the options say. */
export interface StorageOptions {
  readonly program: UploadProgram | undefined;
  readonly disk: DiskFileSystemOptions;
  readonly quotaBytes: number | undefined;
}

/** Reads the options, or says which one is wrong. */
export async function readStorage(values: OptionValues, log: Logger): Promise<Result<StorageOptions, string>> {
  const uploads = readChoice(values, 'uploads', UPLOADS);
  if (!uploads.ok) return uploads;
  const symlinks = readChoice(values, 'symlinks', SYMLINKS);
  if (!symlinks.ok) return symlinks;
  const umask = values.text('umask');
  if (umask !== undefined && !/^0?[0-7]{3}$/.test(umask))
    return fail(`--umask '${umask}' is not three octal digits, such as 027`);
  const quotaBytes = readNumber(values, 'quota', { whole: true, min: 1 });
  if (!quotaBytes.ok) return quotaBytes;
  const disk = {
    ...(uploads.value !== undefined && { uploads: uploads.value }),
    ...(symlinks.value !== undefined && { symlinks: symlinks.value }),
    ...(umask !== undefined && { umask: Number.parseInt(umask, 8) }),
  };
  const program = values.text('on-upload');
  const problem = program === undefined ? undefined : await problemOfProgram(program);
  if (problem !== undefined) return fail(`--on-upload '${program ?? ''}' can't be run: ${problem}`);
  return ok({
    disk,
    quotaBytes: quotaBytes.value,
    program: program === undefined ? undefined : new UploadProgram(path.resolve(program), log),
  });
}

/** The directories under ROOT that users see as `/`. Of each there is one file system: its sessions share the count of a quota. */
export class Homes {
  readonly root: FileSystem;
  readonly #root: string;
  readonly #options: StorageOptions;
  readonly #opened = new Map<AbsolutePath, { readonly unique: string | undefined; readonly files: FileSystem }>();

  constructor(root: string, options: StorageOptions) {
    this.#root = root;
    this.#options = options;
    this.root = this.#filesAt('/');
  }

  /** Undefined where `home` is no directory under ROOT, or none that links may lead to. */
  async open(home: string): Promise<FileSystem | undefined> {
    if (home.split('/').includes('..')) return undefined;
    const inside = resolvePath('/', home);
    if (!inside.ok) return undefined;
    // Asked of the same file system that will serve: what a user could not reach is no home either.
    const entry = await this.root.stat(inside.value);
    if (!entry.ok || entry.value.type !== 'directory') return undefined;
    const { unique } = entry.value;
    const known = this.#opened.get(inside.value);
    // A link that leads to another directory by now is another home.
    if (known !== undefined && known.unique === unique) return known.files;
    const files = inside.value === '/' ? this.root : this.#filesAt(inside.value);
    this.#opened.set(inside.value, { unique, files });
    return files;
  }

  #filesAt(home: AbsolutePath): FileSystem {
    const { disk, quotaBytes, program } = this.#options;
    const directory = path.join(this.#root, home);
    const files = diskFileSystem(directory, disk);
    const limited = quotaBytes === undefined ? files : quota(files, { maxBytes: quotaBytes });
    return program === undefined ? limited : program.for(limited, directory);
  }
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

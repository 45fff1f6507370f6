// Why a file can't be used, in the words of a person. Pure.

import { codeOf } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EPERM: 'the system forbids it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'what should be its folder is a file',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EIO: 'the disk has failed',
};

/**
 * What stands behind the name of a file that could not be read or written, as in "can't be read (EACCES): this user may
 * not".
 */
export function fileProblem(verb: 'read' | 'opened' | 'written', error: unknown): string {
  const code = codeOf(error);
  const missing = verb === 'read' ? 'it does not exist' : 'its folder does not exist';
  const why = code === 'ENOENT' ? missing : Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  return `can't be ${verb} (${code === '' ? String(error) : code})${why === undefined ? '' : `: ${why}`}`;
}

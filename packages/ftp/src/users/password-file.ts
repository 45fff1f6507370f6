// Users from a file, read again whenever it has changed: a user who is added may log in, one who is removed may not.

import { createHmac, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fail, ok, type Result } from '@wellknown/core';
import type { Authenticate, Grant } from './login.ts';
import { parsePasswordEntries, type PasswordEntry } from './password-entries.ts';
import { verifyPassword } from './password-hash.ts';

export interface PasswordFileOptions {
  /** What a user gets whose password was right. */
  readonly grant: (entry: PasswordEntry) => Grant | Promise<Grant>;
  /** Told when the file can no longer be read or has a mistake: the users of before stay. */
  readonly changedBadly?: (problem: string) => void;
}

// A camera that logs in for every picture should not cost a bcrypt each time.
const MAX_REMEMBERED = 1000;

/** Users of an htpasswd file. The sentence says why the file can't be used. */
export async function passwordFile(file: string, options: PasswordFileOptions): Promise<Result<Authenticate, string>> {
  let entries: ReadonlyMap<string, PasswordEntry> = new Map();
  let version = '';
  // What was right for which hash. Keyed by a digest under a key of this process: no password is kept.
  const remembered = new Map<string, string>();
  const key = randomBytes(32);

  const load = async (): Promise<Result<void, string>> => {
    let text: string;
    try {
      const { mtimeMs, size, ino } = await stat(file);
      const found = `${mtimeMs} ${size} ${ino}`;
      if (found === version) return ok(undefined);
      text = await readFile(file, 'utf8');
      // Behind the read: what could not be read is tried again, and a login meanwhile waits for it too.
      version = found;
    } catch (error) {
      return fail(error instanceof Error && 'code' in error ? String(error.code) : 'it can not be read');
    }
    const parsed = parsePasswordEntries(text);
    if (!parsed.ok) return parsed;
    entries = parsed.value;
    return ok(undefined);
  };

  const isRight = async (name: string, password: string, hash: string): Promise<boolean> => {
    const digest = createHmac('sha256', key).update(`${name}\0${password}`).digest('base64');
    if (remembered.get(digest) === hash) return true;
    if (!(await verifyPassword(password, hash))) return false;
    const [oldest] = remembered.keys();
    if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    remembered.set(digest, hash);
    return true;
  };

  const first = await load();
  if (!first.ok) return first;
  return ok(async ({ user, password }) => {
    const loaded = await load();
    if (!loaded.ok) options.changedBadly?.(loaded.error);
    const entry = entries.get(user);
    // A name that is not there takes the work of one that is: the first in the file stands in.
    const [standIn] = entries.values();
    const hash = (entry ?? standIn)?.hash;
    const matches = hash !== undefined && (await isRight(user, password, hash));
    return entry !== undefined && matches ? options.grant(entry) : undefined;
  });
}

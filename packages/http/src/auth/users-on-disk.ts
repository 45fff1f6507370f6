// The users of a password file that may change while the server runs.

import fs from 'node:fs';
import { fail, ok, type Result } from '@wellknown/core';
import { MAX_PASSWORD_FILE_BYTES, parsePasswordFile, type PasswordHashes } from './password-file.ts';

// A user who was removed is out within a second.
const LOOK_AGAIN_MS = 1_000;

/** Users by name; the file is looked at again a second later at the earliest. */
export class UsersOnDisk {
  readonly #path: string;
  readonly #failed: (problem: string) => void;
  #hashes: PasswordHashes;
  #seen: string;
  #lookedMs: number;

  /** `failed` is told, once for each state of the file, why its users stay those of before. */
  private constructor(path: string, hashes: PasswordHashes, seen: string, failed: (problem: string) => void) {
    this.#path = path;
    this.#failed = failed;
    this.#hashes = hashes;
    this.#seen = seen;
    this.#lookedMs = performance.now();
  }

  static open(path: string, failed: (problem: string) => void): Result<UsersOnDisk, string> {
    const seen = stateOf(path);
    const hashes = read(path);
    return hashes.ok ? ok(new UsersOnDisk(path, hashes.value, seen, failed)) : hashes;
  }

  get(name: string): string | undefined {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs >= LOOK_AGAIN_MS) {
      this.#lookedMs = nowMs;
      this.#lookAgain();
    }
    return this.#hashes.get(name);
  }

  /** The hashes of all. */
  values(): Iterable<string> {
    return this.#hashes.values();
  }

  #lookAgain(): void {
    const seen = stateOf(this.#path);
    if (seen === this.#seen) return;
    this.#seen = seen;
    const hashes = read(this.#path);
    if (hashes.ok) this.#hashes = hashes.value;
    else this.#failed(hashes.error);
  }
}

function read(path: string): Result<PasswordHashes, string> {
  try {
    if (fs.statSync(path).size > MAX_PASSWORD_FILE_BYTES)
      return fail(`is larger than ${MAX_PASSWORD_FILE_BYTES} bytes`);
    return parsePasswordFile(fs.readFileSync(path, 'utf8'));
  } catch (error) {
    return fail(`can't be read (${codeOf(error)})`);
  }
}

/** Another text for another state of the file, or for why it can't be told. */
function stateOf(path: string): string {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = fs.statSync(path);
    return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch (error) {
    return codeOf(error);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

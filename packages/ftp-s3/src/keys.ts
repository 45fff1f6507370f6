// Paths as keys of objects. A directory is what its keys have in common, and where it may be empty, an empty object whose key
// ends with a slash, as the consoles of S3 make them.

import type { AbsolutePath } from '@wellknown/ftp';
import { Refusal } from './errors.ts';

/** How long a key may be, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;
const encoder = new TextEncoder();

export interface Keys {
  /** The key of a file. */
  file(path: AbsolutePath): string;
  /** What the keys in a directory begin with; of the root it may be empty. */
  directory(path: AbsolutePath): string;
}

/** The keys below `prefix`, which is empty or ends with a slash. */
export function keysBelow(prefix: string): Keys {
  const checked = (key: string): string => {
    // Keys are Unicode: a name with other bytes in it has none.
    if (/[\ud800-\udfff]/u.test(key) || encoder.encode(key).length > MAX_KEY_BYTES) throw new Refusal('bad-name');
    return key;
  };
  return {
    file: (path) => checked(prefix + path.slice(1)),
    directory: (path) => checked(path === '/' ? prefix : `${prefix}${path.slice(1)}/`),
  };
}

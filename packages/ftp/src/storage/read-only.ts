import type { FileSystem } from '../file-system.ts';
import { passed, refuse } from './wrap.ts';

/**
 * `inner` for reading, whoever asks. What would change files is refused as `denied`; times and modes can't be set at all,
 * so that clients see it in FEAT and do not try.
 */
export function readOnly(inner: FileSystem): FileSystem {
  const denied = () => refuse('denied');
  return {
    stat: (path, options) => inner.stat(path, options),
    list: (path, options) => inner.list(path, options),
    read: (path, options) => inner.read(path, options),
    ...passed(inner, 'hash', 'space'),
    write: denied,
    removeFile: denied,
    makeDirectory: denied,
    removeDirectory: denied,
    rename: denied,
  };
}

// The compiled code of a program, kept from one start to the next where Node can do it (22.8 and later): a quarter of what
// it costs to load. Node checks that what it reads there is of the same source, and not who has written it: whoever may
// write there runs code in this process. So it is a folder of this user, in one of this user.

import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Keeps what is compiled from now on. Without a folder that is safe, or with a Node that can't, it does nothing. */
export function keepCompiledCode(): void {
  const { enableCompileCache } = module as { readonly enableCompileCache?: (folder: string) => unknown };
  // Who has set the variable has decided where, and Node has obeyed.
  if (enableCompileCache === undefined || process.env.NODE_COMPILE_CACHE !== undefined) return;
  const folder = compileCacheFolder(process.env, homedir(), process.geteuid?.());
  if (folder !== undefined) enableCompileCache(folder);
}

/** The folder, which is made where it is missing. Undefined where another user could write there. */
export function compileCacheFolder(environment: Environment, home: string, uid?: number): string | undefined {
  try {
    // The first one is systemd's (CacheDirectory=).
    const caches = environment.CACHE_DIRECTORY ?? environment.XDG_CACHE_HOME;
    const base = caches ?? home;
    if (!path.isAbsolute(base)) return undefined;
    // With DynamicUser=, systemd's is a link.
    const real = realpathSync(base);
    if (!isOwn(real, uid)) return undefined;
    const folder = path.join(real, ...(caches === undefined ? ['.cache'] : []), 'wellknown');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return isOwn(path.dirname(folder), uid) && isOwn(folder, uid) ? folder : undefined;
  } catch {
    return undefined;
  }
}

const WRITABLE_BY_OTHERS = 0o022;

/** A folder of this user, and no link to one, where nobody else may write. */
function isOwn(folder: string, uid: number | undefined): boolean {
  const stats = lstatSync(folder);
  return stats.isDirectory() && stats.uid === uid && (stats.mode & WRITABLE_BY_OTHERS) === 0;
}

// A fault of Node up to version 22 (nodejs/node#51142): require() and import() take what the last synchronous stat of the
// process was about for a directory on their way. After a socket or a FIFO they follow no symbolic link, and a package that
// pnpm has linked does not find those that it needs itself.

import { lstatSync } from 'node:fs';

/** To be called after a synchronous stat of what may be a socket or a FIFO, and before a module is loaded late. */
export function forgetLastStat(): void {
  lstatSync('/');
}

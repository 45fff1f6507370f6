// Standard error as a socket. Whether writing to it waits for its reader is a flag of the opening that all processes share
// who have inherited it, and each that is started or ends may put it back to waiting.

import type { Writable } from 'node:stream';

interface RawOutputHandle {
  setBlocking?(isBlocking: boolean): number;
}

/** Makes writing to it fail at once where its reader takes nothing. One system call; nothing where Node has no way. */
export function keepFromBlocking(output: Writable): void {
  const { _handle: handle } = output as unknown as { readonly _handle?: RawOutputHandle | null };
  handle?.setBlocking?.(false);
}

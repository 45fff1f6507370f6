// Whether the end of a stream is one. When a reset comes right behind the last bytes, before they are read, libuv reports the
// end of the stream in place of an error (uv__stream_io: a hang-up after a read that filled no buffer). The kernel has let
// go of such a connection by then; one whose peer has ended its side still has its peer. That tells nothing where we have ended
// our side first: the connection is over then, with the end of the peer's.
//
// Undocumented, therefore guarded: where Node's handle can't be asked, an end is an end.

import type net from 'node:net';

/** Of a TCP socket whose peer has ended, as it seems: whether it was reset. False where we have ended our side. */
export function wasReset(socket: net.Socket): boolean {
  if (socket.writableEnded) return false;
  const { _handle: handle } = socket as unknown as { readonly _handle?: { getpeername?(out: object): number } | null };
  return typeof handle?.getpeername === 'function' && handle.getpeername({}) !== 0;
}

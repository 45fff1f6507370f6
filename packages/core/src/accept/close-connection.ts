// Ending one connection because somebody wants it gone, while the server goes on.

import type { TransportConnection } from '../connection/transport-connection.ts';
import type { Clock } from '../time/clock.ts';

/**
 * Tells its protocol to finish what is in flight and to end, as in a drain; what is still open after `graceMs` is cut. With
 * 0 the peer sees a reset at once. Resolves when it is no more.
 */
export async function closeConnection(
  connection: Pick<TransportConnection, 'startDrain' | 'destroy' | 'reset' | 'closed'>,
  graceMs: number,
  clock: Clock,
): Promise<void> {
  if (graceMs <= 0) {
    connection.reset('operator');
    await connection.closed;
    return;
  }
  const timer = clock.after(graceMs, () => connection.destroy('operator'));
  connection.startDrain();
  await connection.closed;
  timer.cancel();
}

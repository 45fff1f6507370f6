// Waiting for several sockets at once, in the meaning of select(2): a socket is ready when its verb would not wait,
// be it that there is something, that the peer has ended, or that the connection is broken. Nothing is taken.

import { abortReason, onAbort } from '../abort.ts';
import { systemClock } from '../time/system-clock.ts';
import { invalidArgument } from '../arguments.ts';
import { DATAGRAM_VERBS, statesAllowing, STREAM_VERBS, wrongState } from './socket-state.ts';
import type { StreamSocket } from './stream-socket.ts';
import type { UdpSocket } from './udp-socket.ts';

/** What to wait for. A socket may stand in several of them. */
export interface SelectSets<Readable, Writable, Acceptable> {
  /** A read, or for a datagram socket a receiveFrom, or for a listening socket an accept, would not wait. */
  readonly readable?: readonly Readable[];
  /** A write or sendTo would not wait for the peer. */
  readonly writable?: readonly Writable[];
  /** An accept would not wait. As in `readable`, for who wants them apart. */
  readonly acceptable?: readonly Acceptable[];
}

export interface Selected<Readable, Writable, Acceptable> {
  readonly readable: readonly Readable[];
  readonly writable: readonly Writable[];
  readonly acceptable: readonly Acceptable[];
}

export interface SelectOptions {
  /** Resolves with nothing after so long. 0 only looks. Without it, or with Infinity, the wait has no end of its own. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

type Waiting = 'read' | 'write' | 'accept';

/**
 * Resolves with the sockets that are ready, as soon as there is one. A socket in a state that does not allow the verb
 * rejects with WRONG_STATE, a `timeoutMs` that is no number from 0 with OPTION_INVALID; one that is closed while it is
 * waited for counts as ready.
 */
export function select<
  Readable extends StreamSocket | UdpSocket = never,
  Writable extends StreamSocket | UdpSocket = never,
  Acceptable extends StreamSocket = never,
>(
  sets: SelectSets<Readable, Writable, Acceptable>,
  options: SelectOptions = {},
): Promise<Selected<Readable, Writable, Acceptable>> {
  const { readable = [], writable = [], acceptable = [] } = sets;
  const look = (): Selected<Readable, Writable, Acceptable> => ({
    readable: readable.filter((socket) => socket.isReady('read')),
    writable: writable.filter((socket) => socket.isReady('write')),
    acceptable: acceptable.filter((socket) => socket.isReady('accept')),
  });
  const { timeoutMs = Number.POSITIVE_INFINITY } = options;
  return new Promise((resolve, reject) => {
    // From JavaScript anything may come, and a timer takes what is no number for 1.
    if (typeof (timeoutMs as unknown) !== 'number' || Number.isNaN(timeoutMs) || timeoutMs < 0)
      throw invalidArgument('select', 'timeoutMs', timeoutMs, 'a number of milliseconds from 0');
    for (const socket of readable) requireWait(socket, 'read');
    for (const socket of writable) requireWait(socket, 'write');
    for (const socket of acceptable) requireWait(socket, 'accept');
    if (options.signal?.aborted === true) throw abortReason(options.signal);

    const ready = look();
    if (timeoutMs === 0 || count(ready) > 0) {
      resolve(ready);
      return;
    }
    const undo: (() => void)[] = [];
    const settle = (run: () => void): void => {
      for (const step of undo.splice(0)) step();
      run();
    };
    const changed = (): void => {
      const now = look();
      if (count(now) > 0) settle(() => resolve(now));
    };
    for (const socket of new Set<StreamSocket | UdpSocket>([...readable, ...writable, ...acceptable]))
      undo.push(socket.watch(changed));
    undo.push(onAbort(options.signal, (reason) => settle(() => reject(reason))));
    if (timeoutMs <= LONGEST_TIMER_MS) {
      const timer = systemClock.after(timeoutMs, () => settle(() => resolve(look())));
      undo.push(() => timer.cancel());
    }
  });
}

// Node fires a longer one at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const count = (selected: Selected<unknown, unknown, unknown>): number =>
  selected.readable.length + selected.writable.length + selected.acceptable.length;

function requireWait(socket: StreamSocket | UdpSocket, waiting: Waiting): void {
  if (socket.type === 'datagram') {
    const verb = waiting === 'read' ? 'receiveFrom' : 'sendTo';
    const allowed =
      waiting === 'write'
        ? [...statesAllowing(DATAGRAM_VERBS, 'sendTo'), 'connected']
        : statesAllowing(DATAGRAM_VERBS, verb);
    if (!allowed.includes(socket.state)) throw wrongState('datagram', `select for ${verb}`, socket.state, allowed);
  } else if (waiting === 'read' && STREAM_VERBS[socket.state].includes('accept')) {
    // As select(2) has it: a listening socket is readable when a connection waits.
  } else if (!STREAM_VERBS[socket.state].includes(waiting)) {
    throw wrongState('stream', `select for ${waiting}`, socket.state, statesAllowing(STREAM_VERBS, waiting));
  }
}

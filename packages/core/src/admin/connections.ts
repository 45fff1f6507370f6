// The connections of the admin listener: who may hold one, and for how long. Anybody may ask for the page and the probes,
// so a stranger's connection is short, and gives way to a new one. Those of this machine are counted apart: whatever comes
// from the network, a probe from here gets through.

import type { Socket } from 'node:net';
import { limitKey, socketAddress } from '../address/address.ts';

/** For a person, a scraper or two and the probes of a node: of this machine, and of all others together. */
export const MAX_CONNECTIONS = 100;
/** Of one address (IPv6: one /64) that is not this machine: a browser opens six. */
export const MAX_CONNECTIONS_PER_ADDRESS = 16;
/** From accept to the end of a stranger's connection: time for the page over a slow line. */
export const STRANGER_MS = 10_000;
/** A reader of metrics or of the live page that takes nothing of what was written for so long is gone. */
export const STUCK_MS = 10_000;

/** What of a socket matters here. */
export type AdminSocket = Pick<Socket, 'remoteAddress' | 'remotePort' | 'bytesWritten' | 'writableLength' | 'once'> & {
  destroy(): unknown;
};

interface Held {
  readonly key: string;
  readonly isLocal: boolean;
  readonly openedMs: number;
  /** It was allowed more than what anybody is. */
  isReader: boolean;
  takenBytes: number;
  tookMs: number;
}

export class AdminConnections {
  /** In the order in which they came. */
  readonly #held = new Map<AdminSocket, Held>();

  /** One was accepted: it may cost another one, or itself where all others are readers'. */
  opened(socket: AdminSocket, nowMs: number): void {
    const key = limitKey(socketAddress(socket.remoteAddress, socket.remotePort));
    const isLocal = isThisMachine(socket.remoteAddress);
    this.#held.set(socket, { key, isLocal, openedMs: nowMs, isReader: false, takenBytes: 0, tookMs: nowMs });
    socket.once('close', () => this.#held.delete(socket));
    if (!isLocal) this.#makeRoom(MAX_CONNECTIONS_PER_ADDRESS, (other) => !other.isLocal && other.key === key);
    this.#makeRoom(MAX_CONNECTIONS, (other) => other.isLocal === isLocal);
  }

  /** Its request was allowed something that not everybody is. */
  markReader(socket: AdminSocket): void {
    const held = this.#held.get(socket);
    if (held !== undefined) held.isReader = true;
  }

  /** Ends those that are over their time. */
  sweep(nowMs: number): void {
    for (const [socket, held] of this.#held) {
      const takenBytes = socket.bytesWritten - socket.writableLength;
      if (takenBytes > held.takenBytes || socket.writableLength === 0) held.tookMs = nowMs;
      held.takenBytes = takenBytes;
      const isLate = held.isReader ? nowMs - held.tookMs >= STUCK_MS : nowMs - held.openedMs >= STRANGER_MS;
      if (isLate) this.#end(socket);
    }
  }

  /** The oldest stranger gives way; where there are readers only, the newest. */
  #makeRoom(max: number, isMeant: (held: Held) => boolean): void {
    const meant = [...this.#held].filter(([, held]) => isMeant(held));
    if (meant.length <= max) return;
    const [socket] = meant.find(([, held]) => !held.isReader) ?? [];
    if (socket !== undefined) this.#end(socket);
  }

  #end(socket: AdminSocket): void {
    this.#held.delete(socket);
    socket.destroy();
  }
}

const isThisMachine = (address: string | undefined): boolean =>
  address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);

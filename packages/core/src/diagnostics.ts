// What happens inside, for whoever subscribes (node:diagnostics_channel). Without a subscriber an event costs one comparison.
//
// wellknown:connection  { connection, from, to, reason }     a connection has changed its state
// wellknown:worker      { slot, life, generation, to }       a worker has changed its state, in the primary
// wellknown:server      { role, to }                         listening, draining, ended

import { channel } from 'node:diagnostics_channel';
import type { CloseReason, ConnectionState } from './connection-state.ts';
import type { Connection } from './connection.ts';

export interface ConnectionEventMessage {
  readonly connection: Connection;
  readonly from: ConnectionState;
  readonly to: ConnectionState;
  readonly reason: CloseReason | undefined;
}

export interface WorkerEventMessage {
  readonly slot: number;
  readonly life: number;
  readonly generation: number;
  readonly to: 'starting' | 'ready' | 'draining' | 'ended';
}

export interface ServerEventMessage {
  readonly role: 'alone' | 'primary' | 'worker';
  readonly to: 'listening' | 'draining' | 'ended';
}

export const connectionChannel = channel('wellknown:connection');
export const workerChannel = channel('wellknown:worker');
export const serverChannel = channel('wellknown:server');

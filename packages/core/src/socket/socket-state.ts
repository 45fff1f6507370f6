// Which verb is allowed in which state, and what leads to which. Everything that decides about the order of calls is in
// this file, as data; docs/lifecycle.md shows these tables, and a test compares the two.
//
//     unbound ──bind──▶ bound ──listen──▶ listening ──accept──▶ (a new, connected socket)
//        └────connect────┴──▶ connecting ──▶ connected ──▶ read-closed / write-closed ──▶ ended
//
// `startTls` leads from connected through securing back to connected. From every state `close` leads to closed. A
// reset, or a peer that takes nothing any more, leads from the connected states to broken: the call was right, the peer
// failed, and so the verbs are allowed there and report what happened.

import { WellknownError } from '../errors.ts';

/**
 * `read-closed`: the peer has ended, or we shut reading down; reads give what came before, then undefined.
 * `write-closed`: we have ended. `ended`: both. `broken`: a reset or a timeout ended it.
 */
export type StreamState =
  | 'unbound'
  | 'binding'
  | 'bound'
  | 'listening'
  | 'connecting'
  | 'connected'
  | 'securing'
  | 'read-closed'
  | 'write-closed'
  | 'ended'
  | 'broken'
  | 'closed';
export type StreamVerb =
  'bind' | 'listen' | 'accept' | 'connect' | 'read' | 'write' | 'startTls' | 'shutdown' | 'close';
export type StreamEvent =
  | 'bind'
  | 'bound'
  | 'not bound'
  | 'listen'
  | 'connect'
  | 'connected'
  | 'secure'
  | 'secured'
  | 'read over'
  | 'write over'
  | 'broken'
  | 'close';

export type DatagramState = 'unbound' | 'binding' | 'bound' | 'connecting' | 'connected' | 'closed';
export type DatagramVerb = 'bind' | 'connect' | 'sendTo' | 'receiveFrom' | 'read' | 'write' | 'close';
export type DatagramEvent = 'bind' | 'bound' | 'not bound' | 'connect' | 'connected' | 'not connected' | 'close';

/** The verbs that are allowed in each state of a stream socket. */
export const STREAM_VERBS: Readonly<Record<StreamState, readonly StreamVerb[]>> = {
  unbound: ['bind', 'connect', 'close'],
  binding: ['close'],
  bound: ['listen', 'connect', 'close'],
  listening: ['accept', 'close'],
  connecting: ['close'],
  connected: ['read', 'write', 'startTls', 'shutdown', 'close'],
  securing: ['close'],
  'read-closed': ['read', 'write', 'shutdown', 'close'],
  'write-closed': ['read', 'shutdown', 'close'],
  ended: ['read', 'shutdown', 'close'],
  broken: ['read', 'write', 'shutdown', 'close'],
  closed: ['close'],
};

/** The verbs that are allowed in each state of a datagram socket. */
export const DATAGRAM_VERBS: Readonly<Record<DatagramState, readonly DatagramVerb[]>> = {
  unbound: ['bind', 'connect', 'sendTo', 'close'],
  binding: ['sendTo', 'close'],
  bound: ['connect', 'sendTo', 'receiveFrom', 'close'],
  connecting: ['close'],
  connected: ['receiveFrom', 'read', 'write', 'close'],
  closed: ['close'],
};

/** A missing entry means that the event changes nothing in that state. */
export const STREAM_TRANSITIONS: Readonly<Record<StreamState, Readonly<Partial<Record<StreamEvent, StreamState>>>>> = {
  unbound: { bind: 'binding', connect: 'connecting', connected: 'connected', close: 'closed' },
  binding: { bound: 'bound', 'not bound': 'unbound', close: 'closed' },
  bound: { listen: 'listening', connect: 'connecting', close: 'closed' },
  listening: { close: 'closed' },
  connecting: { connected: 'connected', close: 'closed' },
  connected: {
    secure: 'securing',
    'read over': 'read-closed',
    'write over': 'write-closed',
    broken: 'broken',
    close: 'closed',
  },
  securing: { secured: 'connected', broken: 'broken', close: 'closed' },
  'read-closed': { 'write over': 'ended', broken: 'broken', close: 'closed' },
  'write-closed': { 'read over': 'ended', broken: 'broken', close: 'closed' },
  ended: { close: 'closed' },
  broken: { close: 'closed' },
  closed: {},
};

export const DATAGRAM_TRANSITIONS: Readonly<
  Record<DatagramState, Readonly<Partial<Record<DatagramEvent, DatagramState>>>>
> = {
  unbound: { bind: 'binding', close: 'closed' },
  binding: { bound: 'bound', 'not bound': 'unbound', close: 'closed' },
  bound: { connect: 'connecting', close: 'closed' },
  connecting: { connected: 'connected', 'not connected': 'bound', close: 'closed' },
  connected: { close: 'closed' },
  closed: {},
};

/** The typed error of a verb at the wrong time: it names the verb, the state, and where the verb is allowed. */
export function wrongState(
  type: 'stream' | 'datagram',
  verb: string,
  state: string,
  allowedIn: readonly string[],
): WellknownError {
  return new WellknownError('WRONG_STATE', `${verb} on a ${type} socket that is ${state}`, {
    fault: 'local',
    hint:
      allowedIn.length === 0
        ? `a ${type} socket never allows it`
        : `it is allowed when the socket is ${allowedIn.join(', ')}`,
  });
}

/**
 * The same of a verb that the state allows and something else does not, which `circumstance` tells: 'and being read'.
 */
export const wrongMoment = (
  type: 'stream' | 'datagram',
  verb: string,
  state: string,
  circumstance: string,
  hint: string,
): WellknownError =>
  new WellknownError('WRONG_STATE', `${verb} on a ${type} socket that is ${state} ${circumstance}`, {
    fault: 'local',
    hint,
  });

/** The states of a table in which `verb` is allowed. */
export function statesAllowing<State extends string>(
  verbs: Readonly<Record<State, readonly string[]>>,
  verb: string,
): State[] {
  return (Object.keys(verbs) as State[]).filter((state) => verbs[state].includes(verb));
}

/** What a verb that waits rejects with when its socket is closed under it. */
export const closedMeanwhile = (verb: string): WellknownError =>
  new WellknownError('CONNECTION_CLOSED', `the socket was closed while ${verb} waited`, { fault: 'local' });

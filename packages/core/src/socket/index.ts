// Sockets by hand: create, bind, listen, connect, accept, read, write, shutdown, close, sendto, recvfrom, select.

export { socket } from './socket.ts';
export { select, type Selected, type SelectOptions, type SelectSets } from './select.ts';
export type { StreamSocket, StreamSocketOptions, VerbOptions } from './stream-socket.ts';
export type { Datagram, UdpSocket, UdpSocketOptions } from './udp-socket.ts';
export { connectDatagram, type DatagramPeer, type DatagramPeerOptions } from '../datagram/peer.ts';

// The tables that say which verb is allowed in which state, and what moves it on.

export {
  DATAGRAM_TRANSITIONS,
  DATAGRAM_VERBS,
  STREAM_TRANSITIONS,
  STREAM_VERBS,
  type DatagramEvent,
  type DatagramState,
  type DatagramVerb,
  type StreamEvent,
  type StreamState,
  type StreamVerb,
} from './socket-state.ts';

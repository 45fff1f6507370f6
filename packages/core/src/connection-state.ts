// What may happen to a stream connection when. Everything that affects transitions lives in this file; a missing entry
// means that the event changes nothing in that state.
//
//     accepted ──open──▶ open ──peer ended──▶ read-closed ──we ended──┐
//                         │└────we ended────▶ write-closed ─peer ended┤
//                         └──────linger───────────────────────────────┴▶ lingering ──▶ closed
//
// `lingering`: our last word is said. What the peer still sends is discarded, within bounds, so that a reset for unread
// input cannot destroy that last word before the peer has read it (RFC 9112 §9.6 describes the danger).

export type ConnectionState = 'accepted' | 'open' | 'read-closed' | 'write-closed' | 'lingering' | 'closed';
export type ConnectionEvent = 'open' | 'peer-ended' | 'we-ended' | 'linger' | 'closed';

export const CONNECTION_TRANSITIONS: Readonly<Record<ConnectionState, Readonly<Partial<Record<ConnectionEvent, ConnectionState>>>>> = {
  accepted: { open: 'open', closed: 'closed', linger: 'lingering' },
  open: { 'peer-ended': 'read-closed', 'we-ended': 'write-closed', linger: 'lingering', closed: 'closed' },
  'read-closed': { 'we-ended': 'lingering', linger: 'lingering', closed: 'closed' },
  'write-closed': { 'peer-ended': 'lingering', linger: 'lingering', closed: 'closed' },
  lingering: { closed: 'closed' },
  closed: {},
};

/** Why a connection is no more. Every closed connection has exactly one. */
export type CloseReason =
  /** Both sides said all they had to say. */
  | 'finished'
  /** The peer reset the connection or the network broke. */
  | 'peer-reset'
  /** Nothing was received or sent for the idle limit. */
  | 'idle-timeout'
  /** The peer took nothing of what was written for the write limit. */
  | 'write-timeout'
  /** The protocol's own deadline passed. */
  | 'protocol-timeout'
  /** After our last word the peer neither closed nor stopped sending. */
  | 'linger-timeout'
  | 'linger-overflow'
  /** The peer broke the protocol. */
  | 'protocol-error'
  /** Our handler threw. */
  | 'handler-failed'
  /** More was queued for a slow peer than the limit allows. */
  | 'unsent-overflow'
  /** Refused on accept: the peer's address holds its full share of connections. */
  | 'address-limit'
  /** Refused on accept: more connections wait than may wait. */
  | 'queue-limit'
  /** Work in flight when the drain deadline passed. */
  | 'drain-timeout'
  /** The program asked for it. */
  | 'aborted';

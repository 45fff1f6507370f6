// What may happen to a stream connection when. Everything that affects transitions lives in this file; a missing entry
// means that the event changes nothing in that state.
//
//     accepted ─▶ proxy-header ─▶ handshake ─▶ open        (any of the two in the middle may be left out)
//
//     open ──peer ended──▶ read-closed ──we ended──┐
//      │└────we ended────▶ write-closed ─peer ended┤
//      └──────linger───────────────────────────────┴▶ lingering ──▶ closed
//
// `proxy-header`: a trusted proxy has still to say who the client is. `handshake`: TLS; from `open` it is the upgrade
// of a connection that began in clear. Each has a deadline of its own, and no protocol sees the connection before.
// `lingering`: our last word is said. What the peer still sends is discarded, within bounds, so that a reset for unread
// input cannot destroy that last word before the peer has read it (RFC 9112 §9.6 describes the danger).

export type ConnectionState =
  'accepted' | 'proxy-header' | 'handshake' | 'open' | 'read-closed' | 'write-closed' | 'lingering' | 'closed';
export type ConnectionEvent = 'proxy' | 'handshake' | 'open' | 'peer-ended' | 'we-ended' | 'linger' | 'closed';

export const CONNECTION_TRANSITIONS: Readonly<
  Record<ConnectionState, Readonly<Partial<Record<ConnectionEvent, ConnectionState>>>>
> = {
  accepted: { proxy: 'proxy-header', handshake: 'handshake', open: 'open', closed: 'closed', linger: 'lingering' },
  'proxy-header': { handshake: 'handshake', open: 'open', linger: 'lingering', closed: 'closed' },
  handshake: { open: 'open', linger: 'lingering', closed: 'closed' },
  open: {
    handshake: 'handshake',
    'peer-ended': 'read-closed',
    'we-ended': 'write-closed',
    linger: 'lingering',
    closed: 'closed',
  },
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
  /** The peer took what was written more slowly than the lowest rate allows. */
  | 'write-rate'
  /** In the middle of a message the peer sent more slowly than the lowest rate allows. */
  | 'read-rate'
  /** The protocol's own deadline passed. */
  | 'protocol-timeout'
  /** The connection had lived as long as a connection may. */
  | 'lifetime'
  /** A trusted proxy sent no PROXY header in time. */
  | 'proxy-timeout'
  /** A trusted proxy sent something else than a PROXY header. */
  | 'proxy-error'
  /** The TLS handshake did not end in time. */
  | 'handshake-timeout'
  /** The TLS handshake failed. */
  | 'handshake-error'
  /**
   * After the handshake the peer broke TLS: a record that can't be decrypted, an alert, or a renegotiation, which is
   * refused.
   */
  | 'tls-error'
  /**
   * The peer sent bytes in clear where only the TLS handshake may follow: an attacker in between may have put them
   * there.
   */
  | 'early-plaintext'
  /** After our last word the peer neither closed nor stopped sending. */
  | 'linger-timeout'
  | 'linger-overflow'
  /** The peer broke the protocol. */
  | 'protocol-error'
  /** Our handler threw. */
  | 'handler-failed'
  /** More was queued for a slow peer than the limit allows. */
  | 'unsent-overflow'
  /** Slow readers held more than the process allows all of them together, and this was among the slowest. */
  | 'unsent-total'
  /** Refused on accept: the peer's address holds its full share of connections. */
  | 'address-limit'
  /** Refused on accept: the peer's address connects too often. */
  | 'address-rate'
  /** Refused on accept: the rules for addresses forbid it. */
  | 'denied'
  /** Refused on accept: the process has hardly any file descriptors left. */
  | 'descriptor-limit'
  /** Refused on accept: more connections wait than may wait. */
  | 'queue-limit'
  /** Work in flight when the drain deadline passed. */
  | 'drain-timeout'
  /** Somebody who runs the server has closed this one. */
  | 'operator'
  /** The program asked for it. */
  | 'aborted'
  /** The worker that served it ended before it did: it crashed or was killed. Counted by the primary. */
  | 'worker-lost';

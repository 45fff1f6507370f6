// RFC 1143: who answers what, and when, so that two sides can never loop. One table serves both directions of an
// option, since each is the other's mirror image: "yes" from the peer is WILL about its side and DO about ours, and so
// on. States are named as in the RFC, `opposite` being its queue bit.
//
//   no ──ask-yes──▶ want-yes ──peer-yes──▶ yes ──ask-no──▶ want-no ──peer-no──▶ no
//                    └─ask-no─▶ want-yes-opposite           └─ask-yes─▶ want-no-opposite

export type QState = 'no' | 'yes' | 'want-no' | 'want-no-opposite' | 'want-yes' | 'want-yes-opposite';

export type QEvent =
  /** The peer wants the option on, or agrees to it; and so would we. */
  | 'peer-yes'
  /** The peer wants it on, and we don't. Only differs from `peer-yes` where the peer takes the first step. */
  | 'peer-yes-unwanted'
  | 'peer-no'
  /** Our own program wants it on, or off. */
  | 'ask-yes'
  | 'ask-no';

export interface QOutcome {
  readonly next: QState;
  /** What to send: `yes` is DO about the peer's side, WILL about ours. */
  readonly send?: 'yes' | 'no';
}

export const Q_TABLE: Readonly<Record<QState, Readonly<Record<QEvent, QOutcome>>>> = {
  no: {
    'peer-yes': { next: 'yes', send: 'yes' },
    'peer-yes-unwanted': { next: 'no', send: 'no' },
    'peer-no': { next: 'no' },
    'ask-yes': { next: 'want-yes', send: 'yes' },
    'ask-no': { next: 'no' },
  },
  yes: {
    'peer-yes': { next: 'yes' },
    'peer-yes-unwanted': { next: 'yes' },
    'peer-no': { next: 'no', send: 'no' },
    'ask-yes': { next: 'yes' },
    'ask-no': { next: 'want-no', send: 'no' },
  },
  // A yes to our no, here and in the next state, is what RFC 1143 calls an error of the peer.
  'want-no': {
    'peer-yes': { next: 'no' },
    'peer-yes-unwanted': { next: 'no' },
    'peer-no': { next: 'no' },
    'ask-yes': { next: 'want-no-opposite' },
    'ask-no': { next: 'want-no' },
  },
  'want-no-opposite': {
    'peer-yes': { next: 'yes' },
    'peer-yes-unwanted': { next: 'yes' },
    'peer-no': { next: 'want-yes', send: 'yes' },
    'ask-yes': { next: 'want-no-opposite' },
    'ask-no': { next: 'want-no' },
  },
  'want-yes': {
    'peer-yes': { next: 'yes' },
    'peer-yes-unwanted': { next: 'yes' },
    'peer-no': { next: 'no' },
    'ask-yes': { next: 'want-yes' },
    'ask-no': { next: 'want-yes-opposite' },
  },
  'want-yes-opposite': {
    'peer-yes': { next: 'want-no', send: 'no' },
    'peer-yes-unwanted': { next: 'want-no', send: 'no' },
    'peer-no': { next: 'no' },
    'ask-yes': { next: 'want-yes' },
    'ask-no': { next: 'want-yes-opposite' },
  },
};

/** Whether the option is in force: from the peer's yes until we ask it to stop, or it stops. */
export const inForce = (state: QState): boolean => state === 'yes';

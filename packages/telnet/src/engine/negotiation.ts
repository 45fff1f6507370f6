// Which options are on, for both sides: RFC 1143's table applied to 256 options, and the table of what we agree to.
// Messages in, replies and changes out; sends nothing itself and knows no time.

import type { Verb } from './codes.ts';
import { optionRow, type OptionRow } from './option-table.ts';
import { inForce, Q_TABLE, type QEvent, type QState } from './q-method.ts';

/** `us`: our side (WILL, answered by DO). `peer`: the peer's side (DO, answered by WILL). */
export type Side = 'us' | 'peer';

export interface Reply {
  readonly verb: Verb;
  readonly option: number;
}

export interface Change {
  readonly side: Side;
  readonly option: number;
  readonly enabled: boolean;
}

export interface NegotiationOutcome {
  readonly reply: Reply | undefined;
  readonly change: Change | undefined;
}

/**
 * How often one side of one option may be changed by the peer, or refused to it, before we fall silent about it. A
 * client that works changes an option a few times in a session; two broken sides would otherwise talk for ever. What
 * is never agreed to is refused once.
 */
export const MAX_FLIPS_PER_OPTION = 16;

export interface Negotiation {
  receive(verb: Verb, option: number): NegotiationOutcome;
  /** Our own wish. No reply when there is nothing to say: it is so already, or an answer must come first. */
  ask(side: Side, option: number, wanted: boolean): NegotiationOutcome;
  /**
   * Goes on as if the peer had confirmed that an option is off. For peers that obey WONT and DONT but never say so
   * (TinTin++ about ECHO). Does nothing unless such an answer is owed.
   */
  assumeOff(side: Side, option: number): NegotiationOutcome;
  state(side: Side, option: number): QState;
  isOn(side: Side, option: number): boolean;
  /** Every option that is on, in the order of their numbers. */
  listOn(): readonly { readonly side: Side; readonly option: number }[];
}

const SIDE_OF: Readonly<Record<Verb, Side>> = { WILL: 'peer', WONT: 'peer', DO: 'us', DONT: 'us' };
const VERB_FOR = { us: { yes: 'WILL', no: 'WONT' }, peer: { yes: 'DO', no: 'DONT' } } as const satisfies Record<
  Side,
  Record<'yes' | 'no', Verb>
>;

const NOTHING: NegotiationOutcome = { reply: undefined, change: undefined };

/** The negotiation of one connection. All options are off at first (RFC 854). `rowOf` says what is agreed to. */
export function createNegotiation(rowOf: (option: number) => OptionRow = optionRow): Negotiation {
  // Options that were never mentioned take no room.
  const states: Record<Side, Map<number, QState>> = { us: new Map(), peer: new Map() };
  const flips: Record<Side, Map<number, number>> = { us: new Map(), peer: new Map() };
  /** What our own program asked for last is agreed to, also when the peer's yes comes late. */
  const wished: Record<Side, Set<number>> = { us: new Set(), peer: new Set() };

  const state = (side: Side, option: number): QState => states[side].get(option) ?? 'no';

  const apply = (side: Side, option: number, event: QEvent): NegotiationOutcome => {
    const before = state(side, option);
    const { next, send } = Q_TABLE[before][event];
    if (next !== before) states[side].set(option, next);
    return {
      reply: send === undefined ? undefined : { verb: VERB_FOR[side][send], option },
      change: inForce(before) === inForce(next) ? undefined : { side, option, enabled: inForce(next) },
    };
  };

  /** Counts what the peer starts, and says whether it has started too much. */
  const exhausted = (side: Side, option: number): boolean => {
    const count = (flips[side].get(option) ?? 0) + 1;
    const limit = rowOf(option)[side] === 'refused' ? 1 : MAX_FLIPS_PER_OPTION;
    if (count > limit) return true;
    flips[side].set(option, count);
    return false;
  };

  return {
    state,
    receive(verb, option) {
      const side = SIDE_OF[verb];
      const before = state(side, option);
      if (verb === 'WILL' || verb === 'DO') {
        if (before !== 'no') return apply(side, option, 'peer-yes');
        if (exhausted(side, option)) return NOTHING;
        const isAgreed = rowOf(option)[side] === 'agreed' || wished[side].has(option);
        return apply(side, option, isAgreed ? 'peer-yes' : 'peer-yes-unwanted');
      }
      const outcome = apply(side, option, 'peer-no');
      // Its no counts at once; only our confirmation is withheld from a peer that flips without end.
      if (before === 'yes' && exhausted(side, option)) return { ...outcome, reply: undefined };
      return outcome;
    },
    ask(side, option, wanted) {
      if (wanted) wished[side].add(option);
      else wished[side].delete(option);
      return apply(side, option, wanted ? 'ask-yes' : 'ask-no');
    },
    assumeOff(side, option) {
      const before = state(side, option);
      return before === 'want-no' || before === 'want-no-opposite' ? apply(side, option, 'peer-no') : NOTHING;
    },
    isOn: (side, option) => inForce(state(side, option)),
    listOn() {
      const on: { side: Side; option: number }[] = [];
      for (const side of ['us', 'peer'] as const) {
        for (const option of states[side].keys()) if (inForce(state(side, option))) on.push({ side, option });
      }
      return on.sort((a, b) => a.option - b.option);
    },
  };
}

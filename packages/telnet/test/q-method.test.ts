import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Q_TABLE, type QEvent, type QState } from '../src/engine/q-method.ts';

// RFC 1143 §7 once more, in its own form: a state, a queue bit, and one rule for each message and each request. Written
// from the RFC and not from the table, so that the two check each other.
interface Side {
  state: 'NO' | 'YES' | 'WANTNO' | 'WANTYES';
  queue: 'EMPTY' | 'OPPOSITE';
}
type Said = 'yes' | 'no' | undefined;

function rfc1143(side: Side, event: QEvent): Said {
  const set = (state: Side['state'], queue: Side['queue'] = 'EMPTY', said?: Said): Said => {
    side.state = state;
    side.queue = queue;
    return said;
  };
  const opposite = side.queue === 'OPPOSITE';
  switch (event) {
    case 'peer-yes':
    case 'peer-yes-unwanted':
      if (side.state === 'NO') return event === 'peer-yes' ? set('YES', 'EMPTY', 'yes') : 'no';
      if (side.state === 'YES') return undefined;
      if (side.state === 'WANTNO') return set(opposite ? 'YES' : 'NO');
      return opposite ? set('WANTNO', 'EMPTY', 'no') : set('YES');
    case 'peer-no':
      if (side.state === 'NO') return undefined;
      if (side.state === 'YES') return set('NO', 'EMPTY', 'no');
      if (side.state === 'WANTNO') return opposite ? set('WANTYES', 'EMPTY', 'yes') : set('NO');
      return set('NO');
    case 'ask-yes':
      if (side.state === 'NO') return set('WANTYES', 'EMPTY', 'yes');
      if (side.state === 'WANTNO') return set('WANTNO', 'OPPOSITE');
      if (side.state === 'WANTYES') return set('WANTYES', 'EMPTY');
      return undefined;
    case 'ask-no':
      if (side.state === 'YES') return set('WANTNO', 'EMPTY', 'no');
      if (side.state === 'WANTNO') return set('WANTNO', 'EMPTY');
      if (side.state === 'WANTYES') return set('WANTYES', 'OPPOSITE');
      return undefined;
  }
}

const AS_RFC: Readonly<Record<QState, Side>> = {
  no: { state: 'NO', queue: 'EMPTY' },
  yes: { state: 'YES', queue: 'EMPTY' },
  'want-no': { state: 'WANTNO', queue: 'EMPTY' },
  'want-no-opposite': { state: 'WANTNO', queue: 'OPPOSITE' },
  'want-yes': { state: 'WANTYES', queue: 'EMPTY' },
  'want-yes-opposite': { state: 'WANTYES', queue: 'OPPOSITE' },
};
const STATES = Object.keys(Q_TABLE) as QState[];
const EVENTS: readonly QEvent[] = ['peer-yes', 'peer-yes-unwanted', 'peer-no', 'ask-yes', 'ask-no'];

test.each(STATES.flatMap((state) => EVENTS.map((event) => ({ state, event }))))(
  'in $state, $event does what RFC 1143 says',
  ({ state, event }) => {
    const side: Side = { ...AS_RFC[state] };
    const said = rfc1143(side, event);
    const outcome = Q_TABLE[state][event];
    expect(AS_RFC[outcome.next]).toEqual(side);
    expect(outcome.send).toBe(said);
  },
);

const steps = fc.array(
  fc.constantFrom('ours asks yes', 'ours asks no', 'theirs asks yes', 'theirs asks no', 'we receive', 'they receive'),
  { maxLength: 40 },
);

test('two sides always come to rest, and then agree', () => {
  fc.assert(
    fc.property(steps, fc.boolean(), fc.boolean(), (plan, weAgree, theyAgree) => {
      // Ours runs the table, theirs the RFC's own form; two queues are the network between them.
      let ours: QState = 'no';
      const theirs: Side = { state: 'NO', queue: 'EMPTY' };
      const toUs: ('yes' | 'no')[] = [];
      const toThem: ('yes' | 'no')[] = [];
      const we = (event: QEvent): void => {
        const { next, send } = Q_TABLE[ours][event];
        ours = next;
        if (send !== undefined) toThem.push(send);
      };
      const they = (event: QEvent): void => {
        const said = rfc1143(theirs, event);
        if (said !== undefined) toUs.push(said);
      };
      const eventOf = (message: 'yes' | 'no', agrees: boolean): QEvent =>
        message === 'no' ? 'peer-no' : agrees ? 'peer-yes' : 'peer-yes-unwanted';
      const weReceive = (): void => {
        const message = toUs.shift();
        if (message !== undefined) we(eventOf(message, weAgree));
      };
      const theyReceive = (): void => {
        const message = toThem.shift();
        if (message !== undefined) they(eventOf(message, theyAgree));
      };
      for (const step of plan) {
        if (step === 'ours asks yes') we('ask-yes');
        else if (step === 'ours asks no') we('ask-no');
        else if (step === 'theirs asks yes') they('ask-yes');
        else if (step === 'theirs asks no') they('ask-no');
        else if (step === 'we receive') weReceive();
        else theyReceive();
      }
      let delivered = 0;
      while (toUs.length + toThem.length > 0) {
        expect((delivered += 1)).toBeLessThan(200);
        weReceive();
        theyReceive();
      }
      expect(['no', 'yes']).toContain(ours);
      expect(AS_RFC[ours]).toEqual(theirs);
    }),
    { numRuns: 500 },
  );
});

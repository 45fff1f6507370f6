// One side of a telnet connection without the connection: bytes and the time in, events out, among them the bytes to
// send. Parser, negotiation and the bounds of both; what options mean is for its user.

import { OPTIONS } from './codes.ts';
import type { CommandName } from './codes.ts';
import { encodeNegotiation, encodeSubnegotiation, escapeIac } from './encoder.ts';
import { createNegotiation, type Negotiation, type NegotiationOutcome, type Side } from './negotiation.ts';
import { optionRow, type OptionRow } from './option-table.ts';
import { encodeStatus, isStatusRequest } from './options/status.ts';
import { createParser } from './parser.ts';
import type { TelnetEvent, Warning } from './telnet-event.ts';

export type EngineEvent =
  /** `bytes` is a view of the chunk wherever possible. Never empty. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  /** Send these, in their order. What waits to be sent of these must not be thrown away. */
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  | { readonly type: 'command'; readonly command: CommandName }
  /** The peer has said something about an option. `changed` when it is on or off only now. */
  | {
      readonly type: 'option';
      readonly side: Side;
      readonly option: number;
      readonly enabled: boolean;
      readonly changed: boolean;
    }
  /** The payload of an option that is on, on either side; for others it is ignored. */
  | { readonly type: 'subnegotiation'; readonly option: number; readonly payload: Uint8Array }
  /** DO TIMING-MARK: send `TIMING_MARK_REACHED` once all that came before is dealt with (RFC 860). */
  | { readonly type: 'timing-mark' }
  | { readonly type: 'warning'; readonly warning: Warning | 'too-many-questions' };

export interface EngineOptions {
  /** The longest payload of one subnegotiation; 4096 by default. */
  readonly maxSubnegotiationBytes?: number;
  /** What is agreed to. By default the table of this package, which is a server's. */
  readonly rowOf?: (option: number) => OptionRow;
}

/**
 * All methods return what is to be done, in order, and none of them throws. Times are milliseconds of any clock that
 * does not run backwards.
 */
export interface Engine {
  receive(chunk: Uint8Array, nowMs: number): EngineEvent[];
  /** When `expire` is to be called if nothing comes before; undefined when there is nothing to wait for. */
  readonly deadlineMs: number | undefined;
  /** Gives up what should have come by now. */
  expire(nowMs: number): EngineEvent[];
  /** Our own wish. Nothing where the table refuses it, it is so already, or an answer is owed first. */
  ask(side: Side, option: number, wanted: boolean): EngineEvent[];
  /** Goes on as if the peer had confirmed that an option is off; nothing unless that is owed. */
  assumeOff(side: Side, option: number): EngineEvent[];
  readonly negotiation: Pick<Negotiation, 'state' | 'isOn' | 'listOn'>;
}

/** No client needs longer for an option's payload, also through a modem. */
export const MAX_SUBNEGOTIATION_MS = 10_000;
// Questions that are answered however often they are asked: a person asks once, a peer that asks without end must not
// be answered without end.
const MAX_ANSWERS_PER_SECOND = 10;

const STATUS = OPTIONS.STATUS.code;
const TIMING_MARK = OPTIONS['TIMING-MARK'].code;
/** The answer to DO TIMING-MARK. */
export const TIMING_MARK_REACHED: Uint8Array = encodeNegotiation('WILL', TIMING_MARK);

/** Bytes of data as they go out: every IAC doubled. Returns `bytes` itself where there is none. */
export const encodeData = escapeIac;

export function createEngine({ maxSubnegotiationBytes, rowOf = optionRow }: EngineOptions = {}): Engine {
  const parser = createParser(maxSubnegotiationBytes === undefined ? {} : { maxSubnegotiationBytes });
  const negotiation = createNegotiation(rowOf);
  let deadlineMs: number | undefined;
  /** The subnegotiation that the deadline is for. */
  let waitedFor: number | undefined;
  let answersFromMs = -Infinity;
  let answers = 0;

  const mayAnswer = (nowMs: number): boolean => {
    if (nowMs - answersFromMs >= 1000) {
      answersFromMs = nowMs;
      answers = 0;
    }
    answers += 1;
    return answers <= MAX_ANSWERS_PER_SECOND;
  };

  const send = (bytes: Uint8Array): EngineEvent => ({ type: 'send', bytes });
  const tell = ({ reply, change }: NegotiationOutcome): EngineEvent[] => [
    ...(reply === undefined ? [] : [send(encodeNegotiation(reply.verb, reply.option))]),
    ...(change === undefined ? [] : [{ type: 'option' as const, ...change, changed: true }]),
  ];

  const negotiated = ({ verb, option }: TelnetEvent & { readonly type: 'negotiation' }): EngineEvent[] => {
    if (option === TIMING_MARK) {
      // A mark has no state: the next one is answered like the first (RFC 860).
      if (verb === 'DO') return [{ type: 'timing-mark' }];
      return verb === 'WILL' ? [send(encodeNegotiation('DONT', option))] : [];
    }
    const side: Side = verb === 'WILL' || verb === 'WONT' ? 'peer' : 'us';
    const events = tell(negotiation.receive(verb, option));
    if (events.some(({ type }) => type === 'option')) return events;
    return [...events, { type: 'option', side, option, enabled: negotiation.isOn(side, option), changed: false }];
  };

  const subnegotiated = (event: TelnetEvent & { readonly type: 'subnegotiation' }, nowMs: number): EngineEvent[] => {
    const { option, payload } = event;
    // nmap sends some for options that were never agreed to.
    if (!negotiation.isOn('us', option) && !negotiation.isOn('peer', option)) return [];
    if (option !== STATUS) return [event];
    if (!isStatusRequest(payload)) return [];
    if (!mayAnswer(nowMs)) return [{ type: 'warning', warning: 'too-many-questions' }];
    return [send(encodeSubnegotiation(option, encodeStatus(negotiation.listOn())))];
  };

  const interpret = (event: TelnetEvent, nowMs: number): EngineEvent[] => {
    if (event.type === 'negotiation') return negotiated(event);
    if (event.type === 'subnegotiation') return subnegotiated(event, nowMs);
    return [event];
  };
  const interpretAll = (events: readonly TelnetEvent[], nowMs: number): EngineEvent[] => {
    const [only] = events;
    // Nearly every chunk.
    if (only?.type === 'data' && events.length === 1) return [only];
    const all: EngineEvent[] = [];
    for (const event of events) all.push(...interpret(event, nowMs));
    return all;
  };

  return {
    negotiation,
    receive(chunk, nowMs) {
      const events = interpretAll(parser.push(chunk), nowMs);
      const { openSubnegotiation } = parser;
      if (openSubnegotiation !== waitedFor) {
        waitedFor = openSubnegotiation;
        deadlineMs = waitedFor === undefined ? undefined : nowMs + MAX_SUBNEGOTIATION_MS;
      }
      return events;
    },
    get deadlineMs() {
      return deadlineMs;
    },
    expire(nowMs) {
      if (deadlineMs === undefined || nowMs < deadlineMs) return [];
      deadlineMs = undefined;
      waitedFor = undefined;
      return interpretAll(parser.abandonSubnegotiation(), nowMs);
    },
    ask: (side, option, wanted) =>
      wanted && rowOf(option)[side] === 'refused' ? [] : tell(negotiation.ask(side, option, wanted)),
    assumeOff: (side, option) => tell(negotiation.assumeOff(side, option)),
  };
}

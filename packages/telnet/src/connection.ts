// The glue: one connection's bytes through parser, negotiation, discovery and line decoder to its session, and back.
//
// Commands are obeyed as soon as they are parsed, ahead of the lines that wait to be read. That is what a Synch is for,
// and the only way to have it here: the urgent notification itself does not reach a Node program.

import { TokenBucket, type Connection, type ServiceContext, type Sink } from '@wellknown/core';
import { createAnswers } from './answers.ts';
import { OPTIONS, type CommandName, type Verb } from './engine/codes.ts';
import { encodeCommand, encodeNegotiation, encodeSubnegotiation, encodeText } from './engine/encoder.ts';
import { createInput } from './input.ts';
import { createModeControl } from './mode.ts';
import { createNegotiation, type NegotiationOutcome, type Reply, type Side } from './engine/negotiation.ts';
import { encodeStatus, isStatusRequest } from './engine/options/status.ts';
import { createOutputQueue } from './output-queue.ts';
import { createParser, type TelnetEvent, type Warning } from './engine/parser.ts';
import { createTelnetSession } from './create-session.ts';
import type { TelnetSession } from './session.ts';
import { createDiscovery } from './terminal.ts';
import { protocolOfFirstLine, startsAsTls } from './protocol-detection.ts';

/** One session: runs when a user connects, and the connection ends when it settles. */
export type TelnetHandler = (session: TelnetSession) => void | Promise<void>;

export interface TelnetLimits {
  /** How long `session.ready` waits for the client's answers. */
  readonly negotiationMs: number;
  /** The longest line that is read; a longer one is thrown away and the user is told. */
  readonly maxLineBytes: number;
  /** The longest payload of one option message. */
  readonly maxSubnegotiationBytes: number;
  /** Lines that wait to be read; beyond, the client is made to wait. */
  readonly maxQueuedInputBytes: number;
  /** Output that waits for a slow client, and so the largest single write; beyond, the connection is cut. */
  readonly maxQueuedOutputBytes: number;
}

const { STATUS, BINARY } = OPTIONS;
const TIMING_MARK = OPTIONS['TIMING-MARK'];
// Answers to AYT and STATUS: a person asks once, and a peer that asks without end must not be answered without end.
const MAX_ASKED_REPLIES_PER_SECOND = 10;
const INTERRUPTS: ReadonlySet<CommandName> = new Set(['IP', 'AO', 'ABORT', 'BRK', 'DM']);
const BELL = Uint8Array.of(7);

/** Serves one connection: runs the handler and returns the sink for the connection's bytes. */
export function serveTelnet(
  connection: Connection,
  context: ServiceContext,
  handler: TelnetHandler,
  limits: TelnetLimits,
): Sink {
  const { clock, log } = context;
  const parser = createParser({ maxSubnegotiationBytes: limits.maxSubnegotiationBytes });
  const negotiation = createNegotiation();
  const answers = createAnswers(clock, negotiation);
  const askedReplies = new TokenBucket({ perSecond: MAX_ASKED_REPLIES_PER_SECOND }, clock.nowMs());
  const warned = new Set<Warning>();
  /** The first bytes of data, until they are known not to be TLS. */
  let firstBytes: Uint8Array | undefined = new Uint8Array(0);
  let sawLine = false;
  /**
   * The handler is told of an interrupt after the whole chunk: BSD telnet sends a timing mark behind it and throws away
   * all output until that is answered, so the answer must go first. A chunk full of interrupts is one.
   */
  let interrupted = false;
  /** The last that came was an interrupt, or negotiation behind one. */
  let afterInterrupt = false;

  const output = createOutputQueue({
    send: (bytes) => connection.send(bytes),
    maxQueuedBytes: limits.maxQueuedOutputBytes,
    overflowed: () => connection.destroy('unsent-overflow'),
  });
  const input = createInput({
    clock,
    maxLineBytes: limits.maxLineBytes,
    maxQueuedBytes: limits.maxQueuedInputBytes,
    full: () => connection.pause(),
    hasRoom: () => connection.resume(),
    markReached: () => sendReply({ verb: 'WILL', option: TIMING_MARK.code }),
    isBinary: () => negotiation.isOn('peer', BINARY.code),
    refusesLine: (line) => {
      const other = sawLine ? undefined : protocolOfFirstLine(line);
      sawLine = true;
      if (other !== undefined) refuse(other);
      return other !== undefined;
    },
    edited: ({ type }) => {
      if (type === 'interrupt') interrupt('IP');
      else if (type === 'overflow') output.push(BELL);
      else output.push(encodeText(`Line too long: more than ${limits.maxLineBytes} bytes. Nothing was done.\n`));
    },
  });

  const sendReply = ({ verb, option }: Reply): void => output.push(encodeNegotiation(verb, option), { keep: true });
  const discovery = createDiscovery(negotiation, {
    reply: sendReply,
    send: (bytes) => output.push(bytes, { keep: true }),
  });

  let resolveReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (resolveReady = resolve));
  const readyTimer = clock.after(limits.negotiationMs, () => resolveReady());
  const noticeReady = (): void => {
    if (!discovery.settled) return;
    readyTimer.cancel();
    resolveReady();
  };

  const obey = ({ reply, change }: NegotiationOutcome): void => {
    if (reply !== undefined) sendReply(reply);
    if (change !== undefined) discovery.changed(change);
  };
  const request = (side: Side, option: number, wanted: boolean): void => obey(negotiation.ask(side, option, wanted));

  const mode = createModeControl({
    clock,
    negotiation,
    answers,
    request,
    assumeOff: (side, option) => {
      obey(negotiation.assumeOff(side, option));
      noticeAnswer();
    },
    changed: (inForce) => control.emit('mode', inForce),
  });
  const noticeAnswer = (): void => {
    mode.noticeAnswer();
    answers.notice();
  };

  const discardOutput = (): void => {
    output.discardText();
    output.push(encodeCommand('DM'), { keep: true });
  };

  const control = createTelnetSession({
    id: connection.id,
    local: connection.local,
    remote: connection.remote,
    input,
    output,
    negotiation,
    answers,
    mode,
    ready,
    draining: () => connection.drainSignal,
    terminal: () => discovery.terminal,
    request,
    discardOutput,
  });

  // In ----------------------------------------------------------------------------------------------------------------

  const refuse = (protocol: string): void => {
    log.info({ connection: connection.id, protocol }, 'a client of another protocol');
    // What follows must not be taken for commands: a web page can make a browser post whatever it likes to this port.
    input.close();
    connection.end(`This is a telnet server. It does not speak ${protocol}.\r\n`, 'latin1', 'protocol-error');
  };

  /** Acts ahead of all that waits, in both directions. */
  const interrupt = (key: 'IP' | 'ABORT'): void => {
    input.interrupt(key);
    if (output.discardText()) output.push(encodeCommand('DM'), { keep: true });
    interrupted = true;
  };

  const received = (bytes: Uint8Array): void => {
    if (firstBytes !== undefined) {
      firstBytes = Uint8Array.of(...firstBytes, ...bytes.subarray(0, 2));
      const tls = startsAsTls(firstBytes);
      if (tls === true) {
        refuse('TLS');
        return;
      }
      if (tls === false) firstBytes = undefined;
    }
    input.received(bytes);
  };

  const command = (name: CommandName): void => {
    switch (name) {
      case 'IP':
      case 'ABORT':
        interrupt(name);
        return;
      case 'BRK':
        if (!control.emit('break', undefined)) command('IP');
        return;
      case 'AO':
        discardOutput();
        return;
      case 'AYT':
        if (!askedReplies.take(clock.nowMs()) || control.emit('ayt', undefined)) return;
        output.push(encodeText('\n[Yes]\n'));
        return;
      case 'SUSP':
        input.key('SUSP');
        control.emit('suspend', undefined);
        return;
      case 'EC':
      case 'EL':
      case 'EOF':
        input.key(name);
        return;
      case 'NOP':
      case 'DM':
      case 'GA':
      case 'EOR':
        return;
    }
  };

  const negotiated = (verb: Verb, option: number): void => {
    if (option === TIMING_MARK.code) {
      // No state: the mark is answered each time, and in its turn (RFC 860), but behind an interrupt at once: there is
      // nothing left to wait for, and inetutils telnet throws away all output until then.
      if (verb === 'DO') input.mark(afterInterrupt);
      else if (verb === 'WILL') sendReply({ verb: 'DONT', option });
      return;
    }
    obey(negotiation.receive(verb, option));
    noticeAnswer();
  };

  const subnegotiated = (option: number, payload: Uint8Array): void => {
    if (option === STATUS.code) {
      if (!negotiation.isOn('us', option) || !isStatusRequest(payload) || !askedReplies.take(clock.nowMs())) return;
      output.push(encodeSubnegotiation(option, encodeStatus(negotiation.listOn())), { keep: true });
    } else if (discovery.received(option, payload)) {
      const { columns, rows } = discovery.terminal;
      control.emit('resize', { columns, rows });
    }
  };

  const dispatch = (event: TelnetEvent): void => {
    afterInterrupt = event.type === 'command' ? INTERRUPTS.has(event.command) : afterInterrupt && event.type !== 'data';
    switch (event.type) {
      case 'data':
        received(event.bytes);
        return;
      case 'command':
        command(event.command);
        return;
      case 'negotiation':
        negotiated(event.verb, event.option);
        return;
      case 'subnegotiation':
        subnegotiated(event.option, event.payload);
        return;
      case 'warning':
        // Once of each kind: what a peer repeats must not fill the log.
        if (warned.has(event.warning)) return;
        warned.add(event.warning);
        log.debug({ connection: connection.id, warning: event.warning }, 'odd telnet bytes');
        return;
    }
  };

  // The handler -------------------------------------------------------------------------------------------------------

  const run = async (): Promise<void> => {
    try {
      await handler(control.session);
      await output.room();
      connection.end();
    } catch (error) {
      // A connection that closed in the middle of a write is no fault of the handler.
      if (connection.state === 'closed' || connection.state === 'lingering') return;
      log.error({ err: error, connection: connection.id }, 'the telnet handler failed');
      connection.end('\r\nThe session has failed. Goodbye.\r\n', 'latin1', 'handler-failed');
    }
  };

  const chunkReceived = (chunk: Uint8Array): void => {
    for (const event of parser.push(chunk)) {
      // A refusal in the middle of a chunk ends it.
      if (connection.state === 'lingering' || connection.state === 'closed') return;
      dispatch(event);
    }
    noticeReady();
    input.noticeRoom();
    if (!interrupted) return;
    interrupted = false;
    control.emit('interrupt', undefined);
  };

  discovery.start();
  // Once the sink is attached, so that a handler which breaks its connection at once is told like any other.
  queueMicrotask(() => void run());

  return {
    data(chunk) {
      // The answers to one chunk leave in one packet.
      connection.cork();
      try {
        chunkReceived(chunk);
      } finally {
        connection.uncork();
      }
    },
    ended() {
      input.end();
      resolveReady();
    },
    drained: () => output.drained(),
    drain: () => control.drain(),
    closed() {
      readyTimer.cancel();
      resolveReady();
      output.close();
      input.close();
      mode.closed();
      answers.closed();
      control.closed();
    },
  };
}

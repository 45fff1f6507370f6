// The glue: one connection's bytes through the engine to discovery, commands and input, and from its session back.

import type { Connection, ServiceContext, Sink } from '@wellknown/core';
import { createAnswers } from './answers.ts';
import { createCommands } from './commands.ts';
import { createTelnetSession } from './create-session.ts';
import { OPTIONS, type CommandName } from './engine/codes.ts';
import { encodeSubnegotiation, encodeText } from './engine/encoder.ts';
import { MARK_NO_PASTES, marksPastes } from './editor/screen.ts';
import { createEnding } from './ending.ts';
import { createEngine, TIMING_MARK_REACHED, type EngineEvent } from './engine/engine.ts';
import { createFirstMode, type FirstMode } from './first-mode.ts';
import { createIdleLimit, idleNotice } from './idle-limit.ts';
import { createInput } from './input.ts';
import { createLinemode } from './linemode.ts';
import { createModeControl } from './mode.ts';
import { createMud, rowsWith, type Mud } from './mud.ts';
import { plainMssp } from './engine/options/mssp.ts';
import { createOpening } from './opening.ts';
import type { OptionFeature, PeerOptions } from './peer-options.ts';
import { createOutputQueue, type OutputQueue } from './output-queue.ts';
import { createOtherProtocols } from './other-protocols.ts';
import { hubOf } from './session-hub.ts';
import type { TelnetSession } from './session.ts';
import type { TelnetSettings } from './settings.ts';
import { createDiscovery, type Discovery } from './terminal.ts';
import { textEncoding } from './text-encoding.ts';
import { createTransmitter } from './transmitter.ts';
import { createWakeUp } from './wake-up.ts';

/** One session: runs when a user connects, and the connection ends when it settles. */
export type TelnetHandler = (session: TelnetSession) => void | Promise<void>;

const INTERRUPTS: ReadonlySet<CommandName> = new Set(['IP', 'AO', 'ABORT', 'BRK', 'DM']);
const BELL = Uint8Array.of(7);

/** Serves one connection: runs the handler and returns the sink for the connection's bytes. */
export function serveTelnet(
  connection: Connection,
  context: ServiceContext,
  handler: TelnetHandler,
  limits: TelnetSettings,
): Sink {
  const { clock, log } = context;
  const hub = hubOf(context);
  const engine = createEngine({ maxSubnegotiationBytes: limits.maxSubnegotiationBytes, rowOf: rowsWith(limits) });
  const { negotiation } = engine;
  const answers = createAnswers(clock, negotiation);
  const warned = new Set<string>();
  /** The last that came was an interrupt, or negotiation behind one. */
  let afterInterrupt = false;

  const transmitter = createTransmitter({
    send(bytes) {
      idle.active();
      return connection.send(bytes);
    },
    hasRoom: () => output.drained(),
    failed: (error) => connection.destroy('handler-failed', error),
  });
  const output: OutputQueue = createOutputQueue({
    send: (bytes) => transmitter.send(bytes),
    maxQueuedBytes: limits.maxQueuedOutputBytes,
    overflowed: () => connection.destroy('unsent-overflow'),
  });
  const ending = createEnding({ connection, transmitter, output, log });
  const idle = createIdleLimit({
    connection,
    clock,
    passed(idleMs) {
      input.close();
      const marked = mode.mode === 'character' && marksPastes(discovery.terminal);
      ending.endWith(encodeText(`${marked ? MARK_NO_PASTES : ''}${idleNotice(idleMs)}`), 'idle-timeout');
    },
  });
  const input = createInput({
    clock,
    maxLineBytes: limits.maxLineBytes,
    maxQueuedBytes: limits.maxQueuedInputBytes,
    full: () => connection.pause(),
    hasRoom: () => connection.resume(),
    markReached: () => output.push(TIMING_MARK_REACHED, { keep: true }),
    encoding: () => textEncoding(discovery.terminal.encoding),
    isBinary: () => negotiation.isOn('peer', OPTIONS.BINARY.code),
    refusesLine: (line) => others.refusesLine(line),
    edited: ({ type }) => {
      if (type === 'interrupt') commands.interrupt('IP');
      else if (type === 'overflow') output.push(BELL);
      else output.push(encodeText(`Line too long: more than ${limits.maxLineBytes} bytes. Nothing was done.\n`));
    },
  });

  const options: PeerOptions = {
    state: negotiation.state,
    isOn: negotiation.isOn,
    listOn: () => negotiation.listOn(),
    request: (side, option, wanted) => perform(engine.ask(side, option, wanted)),
    assumeOff: (side, option) => {
      perform(engine.assumeOff(side, option));
      noticeAnswer();
    },
    send: (option, payload) => output.push(encodeSubnegotiation(option, payload), { keep: true }),
  };
  const discovery: Discovery = createDiscovery(options);
  const opening = createOpening({
    clock,
    silenceMs: limits.negotiationMs,
    maxOpeningMs: limits.maxOpeningMs,
    isSettled: () => discovery.settled && !firstMode.isPending,
  });
  const mode = createModeControl({
    clock,
    options,
    answers,
    changed: (now) => {
      linemode.follow(now);
      control.emit('mode', now);
    },
  });
  const firstMode: FirstMode = createFirstMode({
    wanted: limits.mode,
    mode,
    terminal: () => discovery.terminal,
    decided: () => opening.notice(),
  });
  const linemode = createLinemode({ options, isWanted: limits.linemode, mode: () => mode.mode });
  const noticeAnswer = (): void => {
    mode.noticeAnswer();
    answers.notice();
  };
  const commands = createCommands({
    clock,
    input,
    output,
    emit: (event, detail) => control.emit(event, detail),
  });
  const mud: Mud = createMud({
    options,
    // What is secret must not be compressed together with what an attacker chooses (CRIME).
    offers: { ...limits, mccp: limits.mccp && connection.secure === undefined },
    log,
    heard: {
      gmcp: (message) => void control.emit('gmcp', message),
      msdp: (message) => void control.emit('msdp', message),
    },
  });
  const features: readonly OptionFeature[] = [mud, linemode, firstMode];
  const control = createTelnetSession({
    id: connection.id,
    local: connection.local,
    remote: connection.remote,
    clock,
    maxLineBytes: limits.maxLineBytes,
    input,
    output,
    options,
    answers,
    mode,
    opening,
    hub,
    gmcp: mud.gmcp,
    msdp: mud.msdp,
    draining: () => connection.drainSignal,
    terminal: () => discovery.terminal,
    setEncoding: (encoding) => learn(() => discovery.choose(encoding)),
    discardOutput: () => commands.discardOutput(),
  });

  // In ----------------------------------------------------------------------------------------------------------------

  const others = createOtherProtocols({
    refuse(protocol) {
      log.info({ connection: connection.id, protocol }, 'a client of another protocol');
      // What follows must not be taken for commands: a web page can make a browser post whatever it likes to this port.
      input.close();
      ending.endWith(encodeText(`This is a telnet server. It does not speak ${protocol}.\n`), 'protocol-error');
    },
    answeredStatus() {
      const status = limits.plainMssp ? mud.status() : undefined;
      if (status === undefined) return false;
      input.close();
      ending.endWith(encodeText(plainMssp(status)));
      return true;
    },
  });

  /** Does what may tell something about the terminal, and tells the handler what it told. */
  const learn = (change: () => void): void => {
    const before = discovery.terminal;
    change();
    const { terminal } = discovery;
    if (terminal === before) return;
    const { columns, rows } = terminal;
    if (columns !== before.columns || rows !== before.rows) control.emit('resize', { columns, rows });
    control.emit('terminal', terminal);
  };

  const compress = (enabled: boolean): void => (enabled ? transmitter.compress() : transmitter.stopCompressing());

  const act = (event: EngineEvent): void => {
    afterInterrupt = event.type === 'command' ? INTERRUPTS.has(event.command) : afterInterrupt && event.type !== 'data';
    switch (event.type) {
      case 'data':
        if (!others.refusesBytes(event.bytes)) input.received(event.bytes);
        return;
      case 'send':
        output.push(event.bytes, { keep: true });
        return;
      case 'command':
        commands.obey(event.command);
        return;
      case 'option':
        opening.heard();
        if (event.changed) {
          discovery.changed(event);
          for (const feature of features) feature.changed(event);
          if (event.side === 'us' && event.option === OPTIONS.MCCP2.code) compress(event.enabled);
        }
        noticeAnswer();
        return;
      case 'subnegotiation':
        opening.heard();
        learn(() => discovery.received(event.option, event.payload));
        for (const feature of features) feature.received(event.option, event.payload);
        return;
      case 'timing-mark':
        input.mark(afterInterrupt);
        return;
      case 'warning':
        // Once of each kind: what a peer repeats must not fill the log.
        if (warned.has(event.warning)) return;
        warned.add(event.warning);
        log.debug({ connection: connection.id, warning: event.warning }, 'odd telnet bytes');
        return;
    }
  };

  const perform = (events: readonly EngineEvent[]): void => {
    for (const event of events) {
      // A refusal in the middle of a chunk ends it.
      if (connection.state === 'lingering' || connection.state === 'closed') return;
      act(event);
    }
  };

  const chunkReceived = (events: readonly EngineEvent[]): void => {
    perform(events);
    if (discovery.named) {
      const isMudClient = discovery.terminal.client !== undefined;
      for (const feature of features) feature.named(isMudClient);
    }
    opening.notice();
    input.noticeRoom();
    commands.chunkDone();
    wakeUp.set(engine.deadlineMs);
  };
  const wakeUp = createWakeUp(clock, () => chunkReceived(engine.expire(clock.nowMs())));

  // The handler -------------------------------------------------------------------------------------------------------

  const leaveHub = hub.add(control.session);
  discovery.start();
  mud.start();
  firstMode.start();
  // Once the sink is attached, so that a handler which breaks its connection at once is told like any other.
  queueMicrotask(() => void ending.run(() => handler(control.session)));

  return {
    data(chunk) {
      idle.active();
      // The answers to one chunk leave in one packet.
      connection.cork();
      try {
        chunkReceived(engine.receive(chunk, clock.nowMs()));
      } finally {
        connection.uncork();
      }
    },
    ended() {
      input.end();
      opening.finish();
    },
    drained: () => transmitter.drained(),
    deadline: () => idle.deadline(),
    drain: () => control.drain(),
    doing: () => control.doing(),
    closed() {
      leaveHub();
      wakeUp.set(undefined);
      opening.finish();
      output.close();
      transmitter.close();
      input.close();
      mode.closed();
      answers.closed();
      control.closed();
    },
  };
}

// A session over the parts of its connection.

import type { Address, Clock } from '@wellknown/core';
import type { Answers, OptionSide } from './answers.ts';
import { cleanClientText } from './engine/client-text.ts';
import { OPTIONS, optionText } from './engine/codes.ts';
import { escapeIac, withNetworkEnds } from './engine/encoder.ts';
import type { Charset } from './engine/options/charset.ts';
import type { Input, RawInput } from './input.ts';
import { createKeyReader } from './keys/key-reader.ts';
import { DRAIN_NOTICE } from './drain-notice.ts';
import type { ModeControl } from './mode.ts';
import type { SessionGmcp, SessionMsdp } from './mud.ts';
import type { Opening } from './opening.ts';
import type { OutputQueue } from './output-queue.ts';
import type { PeerOptions } from './peer-options.ts';
import { createQuestions } from './questions.ts';
import { createRecordings } from './recording/recordings.ts';
import type { BinaryDirections, SessionEvents, TelnetSession } from './session.ts';
import { createSessionListeners } from './session-listeners.ts';
import type { SessionHub } from './session-hub.ts';
import type { Terminal } from './terminal.ts';
import { textEncoding, type TextEncoding } from './text-encoding.ts';
import { TtyInput, TtyOutput, type TtyParts } from './tty/tty-streams.ts';

export interface SessionParts {
  readonly id: number;
  readonly local: Address;
  readonly remote: Address;
  readonly clock: Clock;
  readonly maxLineBytes: number;
  readonly input: Input;
  readonly output: OutputQueue;
  readonly options: PeerOptions;
  readonly answers: Answers;
  readonly mode: ModeControl;
  readonly opening: Opening;
  readonly hub: SessionHub;
  readonly gmcp: SessionGmcp;
  readonly msdp: SessionMsdp;
  readonly draining: () => AbortSignal;
  readonly terminal: () => Terminal;
  readonly setEncoding: (encoding: Charset | undefined) => void;
  /** Drops what waits to be sent, and says so. */
  readonly discardOutput: () => void;
}

/** The session, and what its connection tells it. */
export interface SessionControl {
  readonly session: TelnetSession;
  /** True when there was a listener. */
  emit<Event extends keyof SessionEvents>(event: Event, detail: SessionEvents[Event]): boolean;
  /** Who it is and what runs, for who looks at connections; undefined where neither is known. */
  doing(): string | undefined;
  /** The server drains: the user is told, and no more lines come, as soon as the handler wants to read one. */
  drain(): void;
  /** The connection is no more. */
  closed(): void;
}

const { BINARY } = OPTIONS;
const MAX_NAME_CHARACTERS = 64;

const decoder = new TextDecoder();
const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);

export function createTelnetSession(parts: SessionParts): SessionControl {
  const { input, output, options, mode } = parts;
  const listeners = createSessionListeners();
  let abort: AbortController | undefined;
  let over = false;
  let name = '';
  let draining = false;
  /** The one that runs, without its folder. */
  let program: string | undefined;

  const encoding = (): TextEncoding => textEncoding(parts.terminal().encoding);
  const encode = (text: string): Uint8Array =>
    encoding().encode(withNetworkEnds(text, options.isOn('us', BINARY.code)));

  const send = (data: string | Uint8Array): Promise<void> => {
    output.push(escapeIac(typeof data === 'string' ? encode(data) : data));
    recordings.output(data);
    const room = output.room();
    // A caller that awaits still sees the rejection; one that does not must not take the process down.
    room.catch(() => undefined);
    return room;
  };

  const recordings = createRecordings({
    clock: parts.clock,
    terminal: parts.terminal,
    isMasked: () => questions.isSecret,
  });

  const openRaw = (): RawInput => {
    if (draining) announceDrain();
    return input.openRaw();
  };
  const questions = createQuestions({
    clock: parts.clock,
    maxLineBytes: parts.maxLineBytes,
    input,
    output,
    options,
    mode,
    openRaw,
    encoding,
    terminal: parts.terminal,
    send,
    write: (data) => write(data),
    interrupted: () => void emit('interrupt', undefined),
    async readClientLine() {
      if (draining) announceDrain();
      const line = await input.readLine();
      // The client has shown it while it was typed.
      if (line !== undefined && !questions.isSecret) recordings.output(`${line}\n`);
      return line;
    },
  });

  const openForOthers = (): RawInput => {
    questions.reader.forgetPaste();
    return openRaw();
  };

  const write = (data: string | Uint8Array): Promise<void> => {
    const { reader } = questions;
    if (!reader.isShown) return send(data);
    let room: Promise<void> | undefined;
    reader.aside(typeof data === 'string' ? data : textOf(data), () => {
      room = send(data);
    });
    return room ?? output.room();
  };

  const announceDrain = (): void => {
    void write(DRAIN_NOTICE);
    input.close();
  };

  const binary = (): BinaryDirections => ({
    receive: options.isOn('peer', BINARY.code),
    transmit: options.isOn('us', BINARY.code),
  });

  const session: TelnetSession = {
    id: parts.id,
    local: parts.local,
    remote: parts.remote,
    get name() {
      return name;
    },
    set name(given) {
      name = cleanClientText(given, MAX_NAME_CHARACTERS);
    },
    sessions: () => parts.hub.list(),
    get key() {
      return parts.hub.keyOf(session);
    },
    broadcast: (text) => parts.hub.broadcast(text, session),
    ready: parts.opening.ready,
    settled: parts.opening.settled,
    get terminal() {
      return parts.terminal();
    },
    get term() {
      return parts.terminal();
    },
    get signal() {
      abort ??= new AbortController();
      if (over) abort.abort();
      return abort.signal;
    },
    get draining() {
      return parts.draining();
    },
    get mode() {
      return mode.mode;
    },
    setMode: (wanted) => mode.set(wanted),
    get agreed() {
      return options.listOn().map(({ side, option }) => ({ side, option: optionText(option) }));
    },
    get binary() {
      return binary();
    },
    async setBinary({ receive, transmit }) {
      const asked: OptionSide[] = [];
      for (const [side, wanted] of [
        ['peer', receive],
        ['us', transmit],
      ] as const) {
        if (wanted === undefined) continue;
        options.request(side, BINARY.code, wanted);
        asked.push([side, BINARY.code]);
      }
      await parts.answers.settled(asked);
      return binary();
    },
    setEncoding: parts.setEncoding,
    print: (text = '') => write(`${text}\n`),
    write,
    prompt: questions.prompt,
    discardOutput: parts.discardOutput,
    readLine: questions.readLine,
    lines: questions.lines,
    ask: questions.ask,
    askPassword: (question) => questions.ask(question, { mask: true }),
    raw: openForOthers,
    async *keys() {
      const raw = openForOthers();
      try {
        const keys = createKeyReader(raw, parts.clock, encoding());
        for (let some = await keys.next(); some !== undefined; some = await keys.next()) yield* some;
      } finally {
        raw.close();
      }
    },
    async spawn(file, args, how) {
      // Loaded by who uses it: it brings child processes and pseudo-terminals.
      const { spawnInSession } = await import('./program/spawn.ts');
      program = file.slice(file.lastIndexOf('/') + 1);
      try {
        return await spawnInSession(session, file, args, how);
      } finally {
        program = undefined;
      }
    },
    record: (sink, how = {}) => recordings.add(sink, how),
    get stdin() {
      return (stdin ??= new TtyInput(tty));
    },
    get stdout() {
      return (stdout ??= new TtyOutput(tty));
    },
    gmcp: parts.gmcp,
    msdp: parts.msdp,
    on: (event, listener) => listeners.on(event, listener),
  };

  const emit = <Event extends keyof SessionEvents>(event: Event, detail: SessionEvents[Event]): boolean => {
    if (event === 'resize') {
      const { columns, rows } = parts.terminal();
      questions.reader.resized();
      recordings.resized(columns, rows);
    }
    return listeners.emit(event, detail);
  };

  let stdin: TtyInput | undefined;
  let stdout: TtyOutput | undefined;
  const tty: TtyParts = {
    isTerminal: () => mode.mode === 'character',
    terminal: parts.terminal,
    openRaw: openForOthers,
    readLine: () => questions.edit({}),
    cancelLine: () => questions.reader.cancel(),
    write,
    binary: () => options.isOn('us', BINARY.code),
    onResize: (listener) => session.on('resize', listener),
  };

  return {
    session,
    emit(event, detail) {
      if (event === 'interrupt') questions.interruptTold();
      return emit(event, detail);
    },
    doing() {
      const parts = [
        ...(name === '' ? [] : [`session of ${name}`]),
        ...(program === undefined ? [] : [`program ${program}`]),
      ];
      return parts.length === 0 ? undefined : parts.join(', ');
    },
    drain() {
      draining = true;
      if (input.awaited) announceDrain();
    },
    closed() {
      over = true;
      abort?.abort();
    },
  };
}

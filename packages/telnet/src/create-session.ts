// A session over the parts of its connection.

import type { Address, Clock } from '@wellknown/core';
import type { Answers, OptionSide } from './answers.ts';
import { OPTIONS, optionText } from './engine/codes.ts';
import { encodeCommand, encodeText, escapeIac } from './engine/encoder.ts';
import { createHistory } from './editor/history.ts';
import { createLineReader, type ReadOptions } from './editor/line-reader.ts';
import { screenOf } from './editor/screen.ts';
import type { Input, RawInput } from './input.ts';
import { createKeyReader } from './keys/key-reader.ts';
import type { ModeControl } from './mode.ts';
import type { Opening } from './opening.ts';
import type { OutputQueue } from './output-queue.ts';
import type { PeerOptions } from './peer-options.ts';
import { createRecorder, type Recorder } from './recording/recorder.ts';
import type { AskOptions, BinaryDirections, SessionEvents, TelnetSession } from './session.ts';
import type { Terminal } from './terminal.ts';
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
  readonly draining: () => AbortSignal;
  readonly terminal: () => Terminal;
  /** Drops what waits to be sent, and says so. */
  readonly discardOutput: () => void;
}

/** The session, and what its connection tells it. */
export interface SessionControl {
  readonly session: TelnetSession;
  /** True when there was a listener. */
  emit<Event extends keyof SessionEvents>(event: Event, detail: SessionEvents[Event]): boolean;
  /** The server drains: the user is told, and no more lines come, as soon as the handler wants to read one. */
  drain(): void;
  /** The connection is no more. */
  closed(): void;
}

type Listeners = { readonly [Event in keyof SessionEvents]: Set<(detail: SessionEvents[Event]) => void> };

const { ECHO, EOR, SGA, BINARY } = OPTIONS;
const DRAIN_NOTICE = '\nThis server is going down.\n';

const decoder = new TextDecoder();
const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);

export function createTelnetSession(parts: SessionParts): SessionControl {
  const { input, output, options, mode } = parts;
  const listeners: Listeners = {
    resize: new Set(),
    interrupt: new Set(),
    break: new Set(),
    suspend: new Set(),
    ayt: new Set(),
    terminal: new Set(),
    mode: new Set(),
  };
  let abort: AbortController | undefined;
  let over = false;
  let draining = false;

  const recorders = new Set<Recorder>();

  const send = (data: string | Uint8Array): Promise<void> => {
    const bytes =
      typeof data === 'string' ? encodeText(data, { binary: options.isOn('us', BINARY.code) }) : escapeIac(data);
    output.push(bytes);
    for (const recorder of recorders) recorder.output(data);
    const room = output.room();
    // A caller that awaits still sees the rejection; one that does not must not take the process down.
    room.catch(() => undefined);
    return room;
  };

  const openRaw = (): RawInput => {
    if (draining) announceDrain();
    return input.openRaw();
  };
  /** The engine has told the listeners of an interrupt whose key is still to be read. */
  let isKeyOwed = false;
  const reader = createLineReader({
    clock: parts.clock,
    maxLineBytes: parts.maxLineBytes,
    openRaw,
    write: (text) => void send(text),
    screen: () => screenOf(parts.terminal()),
    interrupted() {
      if (!isKeyOwed) emit('interrupt', undefined);
      isKeyOwed = false;
    },
    ended: () => input.end(),
  });

  const write = (data: string | Uint8Array): Promise<void> => {
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

  /** We edit the line where the client sends every key. */
  const edit = (how: ReadOptions): Promise<string | undefined> => {
    isKeyOwed = false;
    return reader.readLine(how);
  };

  const readLine = (): Promise<string | undefined> => {
    if (mode.mode === 'character') return edit({});
    if (draining) announceDrain();
    return input.readLine();
  };

  const prompt = (text: string): Promise<void> => {
    const room = write(text);
    if (options.isOn('us', EOR.code)) output.push(encodeCommand('EOR'));
    // GA is the line turnaround of a half-duplex terminal (RFC 854); of today's clients only those for multi-user
    // worlds use it.
    else if (parts.terminal().client !== undefined && !options.isOn('us', SGA.code)) output.push(encodeCommand('GA'));
    return room;
  };

  const maskRecordings = (isOn: boolean): void => {
    for (const recorder of recorders) recorder.mask(isOn);
  };

  const askHidden = async (question: string, mask: string): Promise<string | undefined> => {
    if (mode.mode === 'character') return edit({ prompt: question, mask });
    mode.hideEcho();
    try {
      await prompt(question);
      return await readLine();
    } finally {
      // The client did not show the Enter either, so the cursor is still behind the question.
      if (options.isOn('us', ECHO.code)) void send('\n');
      mode.showEcho();
    }
  };

  const ask = async (question: string, { mask = false, ...how }: AskOptions = {}): Promise<string | undefined> => {
    if (mask !== false) {
      maskRecordings(true);
      try {
        return await askHidden(question, mask === true ? '' : mask);
      } finally {
        maskRecordings(false);
      }
    }
    if (mode.mode === 'character') return edit({ prompt: question, ...how });
    await prompt(question);
    return readLine();
  };

  const binary = (): BinaryDirections => ({
    receive: options.isOn('peer', BINARY.code),
    transmit: options.isOn('us', BINARY.code),
  });

  const session: TelnetSession = {
    id: parts.id,
    local: parts.local,
    remote: parts.remote,
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
    print: (text = '') => write(`${text}\n`),
    write,
    prompt,
    discardOutput: parts.discardOutput,
    readLine,
    async *lines({ prompt: question = '', history = createHistory(), ...how } = {}) {
      const next = (): Promise<string | undefined> =>
        question === '' && mode.mode === 'line' ? readLine() : ask(question, { history, ...how });
      for (let line = await next(); line !== undefined; line = await next()) yield line;
    },
    ask,
    askPassword: (question) => ask(question, { mask: true }),
    raw: openRaw,
    async *keys() {
      const raw = openRaw();
      try {
        const keys = createKeyReader(raw, parts.clock);
        for (let some = await keys.next(); some !== undefined; some = await keys.next()) yield* some;
      } finally {
        raw.close();
      }
    },
    async spawn(file, args, how) {
      // Loaded by who uses it: it brings child processes and pseudo-terminals.
      const { spawnInSession } = await import('./program/spawn.ts');
      return spawnInSession(session, file, args, how);
    },
    record(sink, how = {}) {
      const recorder = createRecorder(sink, how, { clock: parts.clock, terminal: parts.terminal() });
      recorders.add(recorder);
      return () => {
        recorder.stop();
        recorders.delete(recorder);
      };
    },
    get stdin() {
      return (stdin ??= new TtyInput(tty));
    },
    get stdout() {
      return (stdout ??= new TtyOutput(tty));
    },
    on(event, listener) {
      listeners[event].add(listener);
      return () => void listeners[event].delete(listener);
    },
  };

  const emit = <Event extends keyof SessionEvents>(event: Event, detail: SessionEvents[Event]): boolean => {
    if (event === 'resize') {
      const { columns, rows } = parts.terminal();
      reader.resized();
      for (const recorder of recorders) recorder.resized(columns, rows);
    }
    for (const listener of listeners[event]) listener(detail);
    return listeners[event].size > 0;
  };

  let stdin: TtyInput | undefined;
  let stdout: TtyOutput | undefined;
  const tty: TtyParts = {
    isTerminal: () => mode.mode === 'character',
    terminal: parts.terminal,
    openRaw,
    readLine: () => edit({}),
    cancelLine: () => reader.cancel(),
    write,
    binary: () => options.isOn('us', BINARY.code),
    onResize: (listener) => session.on('resize', listener),
  };

  return {
    session,
    emit(event, detail) {
      if (event === 'interrupt') isKeyOwed = true;
      return emit(event, detail);
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

// Prompts, questions and lines of a session: where the client sends every key we edit the line, otherwise the client does.

import type { Clock } from '@wellknown/core';
import { createHistory } from './editor/history.ts';
import { createLineReader, type LineReader, type ReadOptions } from './editor/line-reader.ts';
import { marksPastes, screenOf } from './editor/screen.ts';
import { OPTIONS } from './engine/codes.ts';
import { encodeCommand } from './engine/encoder.ts';
import type { Input, RawInput } from './input.ts';
import type { ModeControl } from './mode.ts';
import type { OutputQueue } from './output-queue.ts';
import type { PeerOptions } from './peer-options.ts';
import type { AskOptions, TelnetSession } from './session.ts';
import type { Terminal } from './terminal.ts';
import type { TextEncoding } from './text-encoding.ts';

export interface QuestionParts {
  readonly clock: Clock;
  readonly maxLineBytes: number;
  readonly input: Input;
  readonly output: OutputQueue;
  readonly options: PeerOptions;
  readonly mode: ModeControl;
  readonly openRaw: () => RawInput;
  /** The next line of a client that edits it. */
  readonly readClientLine: () => Promise<string | undefined>;
  readonly encoding: () => TextEncoding;
  readonly terminal: () => Terminal;
  /** To the client as it is. */
  readonly send: (text: string) => Promise<void>;
  /** To the client, above a line that is being edited. */
  readonly write: (text: string) => Promise<void>;
  /** ^C was hit in a line that we edit. */
  readonly interrupted: () => void;
}

export interface Questions extends Pick<TelnetSession, 'readLine' | 'prompt' | 'ask' | 'lines'> {
  readonly reader: LineReader;
  /** A password is being asked for. */
  readonly isSecret: boolean;
  /** A line that we edit, whatever the mode. */
  edit(how: ReadOptions): Promise<string | undefined>;
  /** The listeners have been told of an interrupt whose key is still to be read. */
  interruptTold(): void;
}

const { ECHO, EOR, SGA } = OPTIONS;

export function createQuestions(parts: QuestionParts): Questions {
  const { options, output, mode, send, write } = parts;
  let isKeyOwed = false;
  let secrets = 0;

  const reader = createLineReader({
    clock: parts.clock,
    maxLineBytes: parts.maxLineBytes,
    openRaw: parts.openRaw,
    encoding: parts.encoding,
    write: (text) => void send(text),
    screen: () => screenOf(parts.terminal()),
    marksPastes: () => marksPastes(parts.terminal()),
    interrupted() {
      if (!isKeyOwed) parts.interrupted();
      isKeyOwed = false;
    },
    ended: () => parts.input.end(),
  });

  const edit = (how: ReadOptions): Promise<string | undefined> => {
    isKeyOwed = false;
    return reader.readLine(how);
  };

  const readLine = (): Promise<string | undefined> => (mode.mode === 'character' ? edit({}) : parts.readClientLine());

  const prompt = (text: string): Promise<void> => {
    const room = write(text);
    if (options.isOn('us', EOR.code)) output.push(encodeCommand('EOR'));
    // GA is the line turnaround of a half-duplex terminal (RFC 854); of today's clients only those for multi-user
    // worlds use it.
    else if (parts.terminal().client !== undefined && !options.isOn('us', SGA.code)) output.push(encodeCommand('GA'));
    return room;
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
      secrets += 1;
      try {
        return await askHidden(question, mask === true ? '' : mask);
      } finally {
        secrets -= 1;
      }
    }
    if (mode.mode === 'character') return edit({ prompt: question, ...how });
    await prompt(question);
    return readLine();
  };

  return {
    reader,
    get isSecret() {
      return secrets > 0;
    },
    edit,
    interruptTold: () => void (isKeyOwed = true),
    readLine,
    prompt,
    ask,
    async *lines({ prompt: question = '', history = createHistory(), ...how } = {}) {
      const next = (): Promise<string | undefined> =>
        question === '' && mode.mode === 'line' ? readLine() : ask(question, { history, ...how });
      for (let line = await next(); line !== undefined; line = await next()) yield line;
    },
  };
}

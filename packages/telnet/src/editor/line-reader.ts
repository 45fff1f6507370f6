// Lines from a client that sends every key: the editor, the view, the history and the completion together, over the raw
// input of a session.

import { WellknownError, type Clock } from '@wellknown/core';
import type { RawInput } from '../input.ts';
import type { Key } from '../keys/key.ts';
import { createKeyReader, type KeyReader } from '../keys/key-reader.ts';
import type { TextEncoding } from '../text-encoding.ts';
import { applyCompletions, type Completer } from './completion.ts';
import { EMPTY_LINE, type EditState } from './edit-state.ts';
import type { History } from './history.ts';
import type { Frame, Screen } from './layout.ts';
import { stepLine, type EditEffect } from './line-editor.ts';
import { createLineView, inColumns, type LineView } from './line-view.ts';
import { MARK_NO_PASTES, MARK_PASTES } from './screen.ts';
import { searchPrompt } from './search.ts';

export interface LineReaderParts {
  readonly clock: Clock;
  readonly maxLineBytes: number;
  readonly openRaw: () => RawInput;
  readonly encoding: () => TextEncoding;
  /** Text for the client, past `aside`. */
  readonly write: (text: string) => void;
  readonly screen: () => Screen;
  /** The terminal tells what is pasted from what is typed when it is asked to. */
  readonly marksPastes: () => boolean;
  /** ^C was hit. */
  readonly interrupted: () => void;
  /** ^D was hit on an empty line: no more input. */
  readonly ended: () => void;
}

export interface ReadOptions {
  /** What stands before the line. */
  readonly prompt?: string;
  /** Reached by the arrow keys and ^R; each line is added to it. */
  readonly history?: History | undefined;
  /** What Tab offers. */
  readonly complete?: Completer | undefined;
  /** What `?` shows, for the text before the cursor; the `?` itself is not typed. */
  readonly help?: Help | undefined;
  /** What is shown for each character, and then nothing of the line is kept. Empty: nothing is shown. */
  readonly mask?: string | undefined;
}

export type Help = (line: string) => string | Promise<string>;

export interface LineReader {
  /** The next line; undefined when no more will come. One at a time: rejects with WRONG_STATE. */
  readLine(options: ReadOptions): Promise<string | undefined>;
  /** A line is on the screen: what is written goes through `aside`. */
  readonly isShown: boolean;
  /** Calls `write`, which writes `text`, so that it stands above the line. */
  aside(text: string, write: () => void): void;
  /** The screen has another size. */
  resized(): void;
  /** Others read keys: whether a paste has ended is not known any more. */
  forgetPaste(): void;
  /** A line that is being read is given up: it is undefined. What was typed of it is lost. */
  cancel(): void;
}

export function createLineReader(parts: LineReaderParts): LineReader {
  let current: Edit | undefined;
  let input: RawInput | undefined;
  /** The last line ended in the middle of a paste. */
  let isPasting = false;
  return {
    async readLine(options) {
      if (current !== undefined)
        throw new WellknownError('WRONG_STATE', 'a line of this session is being read already', { fault: 'local' });
      input = parts.openRaw();
      const keys = createKeyReader(input, parts.clock, parts.encoding(), { isPasting });
      const marked = parts.marksPastes();
      if (marked) parts.write(MARK_PASTES);
      current = createEdit(parts, keys, options);
      try {
        return await current.line();
      } finally {
        if (marked) parts.write(MARK_NO_PASTES);
        ({ isPasting } = keys);
        current = undefined;
        input.close();
        input = undefined;
      }
    },
    forgetPaste: () => void (isPasting = false),
    cancel: () => input?.close(),
    aside(text, write) {
      if (current === undefined) write();
      else current.aside(text, write);
    },
    get isShown() {
      return current?.isShown ?? false;
    },
    resized: () => current?.resized(),
  };
}

/** One line that is being edited. */
interface Edit {
  readonly isShown: boolean;
  line(): Promise<string | undefined>;
  aside(text: string, write: () => void): void;
  resized(): void;
}

type Outcome = { readonly isOver: false } | { readonly isOver: true; readonly line: string | undefined };
const GOES_ON: Outcome = { isOver: false };

function createEdit(parts: LineReaderParts, keys: KeyReader, options: ReadOptions): Edit {
  const { write, maxLineBytes } = parts;
  const { prompt = '', history, complete, help, mask } = options;
  const isSecret = mask !== undefined;
  const view: LineView = createLineView(parts.screen());
  // What stands above the row of the line is written once.
  const lastRow = prompt.lastIndexOf('\n') + 1;
  let state: EditState = EMPTY_LINE;
  let isShown = false;

  const frame = (): Frame => ({
    prompt: state.search === undefined ? prompt.slice(lastRow) : searchPrompt(state.search),
    before: state.before,
    after: state.after,
    mask,
  });
  const show = (): void => {
    isShown = true;
    const text = view.show(frame());
    if (text !== '') write(text);
  };
  const leave = (rest = ''): void => {
    show();
    isShown = false;
    write(view.leave(rest));
  };

  const perform = async (effect: EditEffect, before: EditState): Promise<Outcome> => {
    switch (effect.type) {
      case 'line':
        leaveAs(before);
        if (!isSecret) history?.add(effect.text);
        return { isOver: true, line: effect.text };
      case 'end-of-input':
        leaveAs(before);
        parts.ended();
        return { isOver: true, line: undefined };
      case 'interrupt':
        leaveAs(before, '^C');
        parts.interrupted();
        return GOES_ON;
      case 'overlong-line':
        leaveAs(before);
        write(`Line too long: more than ${maxLineBytes} bytes. Nothing was done.\n`);
        return GOES_ON;
      case 'clear-screen':
        write(view.clearScreen());
        return GOES_ON;
      case 'bell':
        write('\u0007');
        return GOES_ON;
      case 'complete':
        await completeLine(effect.again);
        return GOES_ON;
    }
  };

  /** Leaves the line on the screen as it was before the key. */
  const leaveAs = (line: EditState, rest?: string): void => {
    const after = state;
    state = { ...line, search: undefined };
    leave(rest);
    state = after;
  };

  const completeLine = async (again: boolean): Promise<void> => {
    if (complete === undefined) {
      write('\u0007');
      return;
    }
    const outcome = applyCompletions(state, await complete(state.before));
    state = outcome.state;
    if (outcome.bell) write('\u0007');
    // As in GNU readline: the first Tab adds what is certain, the next one shows the choice.
    if (again && outcome.choices.length > 0) {
      leave();
      write(`${inColumns(outcome.choices, parts.screen().columns)}\n`);
    }
  };

  const showHelp = async (explain: Help): Promise<void> => {
    const text = await explain(state.before);
    leave('?');
    write(text === '' || text.endsWith('\n') ? text : `${text}\n`);
  };

  const take = async (key: Key): Promise<Outcome> => {
    if (help !== undefined && key.text === '?' && key.name === '?' && !isSecret && state.search === undefined) {
      await showHelp(help);
      return GOES_ON;
    }
    const before = state;
    const step = stepLine(state, key, { history: history?.lines ?? [], maxLineBytes, isSecret });
    state = step.state;
    return step.effect === undefined ? GOES_ON : perform(step.effect, before);
  };

  return {
    async line() {
      write(prompt.slice(0, lastRow));
      show();
      for (let some = await keys.next(); some !== undefined; some = await keys.next()) {
        for (const key of some.flatMap(pastedLines)) {
          const outcome = await take(key);
          if (outcome.isOver) return outcome.line;
        }
        // Once for all keys that came together.
        show();
      }
      return undefined;
    },
    get isShown() {
      return isShown;
    },
    aside(text, writeIt) {
      if (!isShown || !/[^\u0000-\u0009\u000b-\u001f]/.test(text)) {
        writeIt();
        return;
      }
      const hidden = view.hide();
      if (hidden !== '') write(hidden);
      writeIt();
      if (!text.endsWith('\n')) write('\n');
      show();
    },
    resized() {
      if (!isShown) return;
      const cleared = view.resized(parts.screen());
      if (cleared !== '') write(cleared);
      show();
    },
  };
}

/** A paste of several lines is as many lines: a configuration that is pasted is executed as one that is typed. */
function pastedLines(key: Key): Key[] {
  if (key.name !== 'paste' || key.text === undefined) return [key];
  return key.text
    .split(/(\r\n|\r|\n)/)
    .filter((piece) => piece !== '')
    .map((piece) => (/^[\r\n]/.test(piece) ? { name: 'enter', text: undefined } : { name: 'paste', text: piece }));
}

// What is known about the terminal at the other end, and how it becomes known: which option to ask for next, what an
// answer tells. Option changes and payloads in, messages out; no sockets, no time.

import { OPTIONS } from './engine/codes.ts';
import type { Change } from './engine/negotiation.ts';
import {
  answerCharsetRequest,
  CHARSET_REQUEST,
  CHARSET_TABLE_REJECTED,
  parseCharset,
} from './engine/options/charset.ts';
import { ENVIRONMENT_SEND, parseEnvironment, type EnvironmentName } from './engine/options/new-environ.ts';
import { parseWindowSize } from './engine/options/naws.ts';
import {
  addTerminalName,
  mudClientOf,
  parseMtts,
  parseTerminalType,
  TERMINAL_TYPE_SEND,
  terminalOf,
  type MttsFlag,
} from './engine/options/terminal-type.ts';
import type { PeerOptions } from './peer-options.ts';

/** The terminal at the other end. Everything in it comes from the client, cleaned of control characters. */
export interface Terminal {
  /** As terminfo spells it (`xterm-256color`); `unknown` until the client has said it, or when it never does. */
  readonly type: string;
  /** Every name the client gave, in its order and spelling. */
  readonly names: readonly string[];
  /** 80 until the client has said otherwise; at most 1000. */
  readonly columns: number;
  /** 24 until the client has said otherwise; at most 1000. */
  readonly rows: number;
  /** The client's own name in lower case (`mudlet`) when it is one made for multi-user worlds. */
  readonly client: string | undefined;
  /** What such a client says it can do. */
  readonly abilities: readonly MttsFlag[];
  /** The character set agreed by CHARSET. Text is UTF-8 in any case. */
  readonly charset: string | undefined;
  /** The few environment variables that are asked for. Data to look at: never pass it on to a program. */
  readonly environment: ReadonlyMap<EnvironmentName, string>;
}

/** What is assumed of a client that says nothing about itself. */
export const UNKNOWN_TERMINAL: Terminal = {
  type: 'unknown',
  names: [],
  columns: 80,
  rows: 24,
  client: undefined,
  abilities: [],
  charset: undefined,
  environment: new Map(),
};

export interface Discovery {
  readonly terminal: Terminal;
  /** True once the type and the size are known, or refused. */
  readonly settled: boolean;
  /** Asks for what every session wants to know. */
  start(): void;
  /** An option has gone on or off. */
  changed(change: Change): void;
  /** The payload of an option. */
  received(option: number, payload: Uint8Array): void;
}

const { TTYPE, NAWS, CHARSET, EOR } = OPTIONS;
const NEW_ENVIRON = OPTIONS['NEW-ENVIRON'];

/** Discovers the terminal of one connection. */
export function createDiscovery(options: PeerOptions): Discovery {
  let terminal = UNKNOWN_TERMINAL;
  let named = false;
  let sized = false;

  const ask = (side: 'us' | 'peer', option: number): void => options.request(side, option, true);
  const { send } = options;

  const allNamed = (): void => {
    if (named) return;
    named = true;
    // Prompts that end in EOR, and UTF-8 by agreement, mean something to these clients alone.
    if (terminal.client !== undefined) {
      ask('us', EOR.code);
      ask('us', CHARSET.code);
    }
  };

  const receivedName = (payload: Uint8Array): void => {
    const name = parseTerminalType(payload);
    if (name === undefined) {
      allNamed();
      return;
    }
    const { names, done } = addTerminalName(terminal.names, name);
    if (names !== terminal.names) {
      const abilities = names.map((each) => parseMtts(each)).find((flags) => flags !== undefined) ?? [];
      terminal = { ...terminal, names, type: terminalOf(names) ?? 'unknown', client: mudClientOf(names), abilities };
    }
    if (done) allNamed();
    else if (!named) send(TTYPE.code, TERMINAL_TYPE_SEND);
  };

  const receivedSize = (payload: Uint8Array): void => {
    const size = parseWindowSize(payload);
    if (size === undefined) return;
    sized = true;
    const { columns = terminal.columns, rows = terminal.rows } = size;
    if (columns !== terminal.columns || rows !== terminal.rows) terminal = { ...terminal, columns, rows };
  };

  const receivedCharset = (payload: Uint8Array): void => {
    const message = parseCharset(payload);
    if (message?.type === 'request') {
      const { payload: answer, charset } = answerCharsetRequest(message.charsets);
      terminal = { ...terminal, charset };
      send(CHARSET.code, answer);
    } else if (message?.type === 'accepted') terminal = { ...terminal, charset: message.charset };
    else if (message?.type === 'table') send(CHARSET.code, CHARSET_TABLE_REJECTED);
  };

  return {
    get terminal() {
      return terminal;
    },
    get settled() {
      const typeRefused = options.state('peer', TTYPE.code) === 'no';
      const sizeRefused = options.state('peer', NAWS.code) === 'no';
      return (named || typeRefused) && (sized || sizeRefused);
    },
    start() {
      ask('peer', TTYPE.code);
      ask('peer', NAWS.code);
    },
    changed({ side, option, enabled }) {
      if (!enabled) return;
      if (side === 'peer' && option === TTYPE.code) send(TTYPE.code, TERMINAL_TYPE_SEND);
      else if (side === 'peer' && option === NEW_ENVIRON.code) send(NEW_ENVIRON.code, ENVIRONMENT_SEND);
      else if (side === 'us' && option === CHARSET.code) send(CHARSET.code, CHARSET_REQUEST);
    },
    received(option, payload) {
      if (option === TTYPE.code) receivedName(payload);
      else if (option === NAWS.code) receivedSize(payload);
      else if (option === CHARSET.code) receivedCharset(payload);
      else if (option === NEW_ENVIRON.code) {
        const environment = parseEnvironment(payload);
        if (environment !== undefined)
          terminal = { ...terminal, environment: new Map([...terminal.environment, ...environment]) };
      }
    },
  };
}

// What is known about the terminal at the other end, and how it becomes known: which option to ask for next, what an
// answer tells. Option changes and payloads in, messages out; no sockets, no time.

import { OPTIONS } from './engine/codes.ts';
import type { Change } from './engine/negotiation.ts';
import {
  answerCharsetRequest,
  CHARSET_REJECTED,
  CHARSET_REQUEST,
  CHARSET_TABLE_REJECTED,
  charsetOf,
  parseCharset,
  type Charset,
} from './engine/options/charset.ts';
import { ENVIRONMENT_SEND, parseEnvironment, type EnvironmentName } from './engine/options/new-environ.ts';
import { parseWindowSize } from './engine/options/naws.ts';
import { parseTerminalSpeed, TERMINAL_SPEED_SEND, type TerminalSpeed } from './engine/options/terminal-speed.ts';
import {
  addTerminalName,
  mudClientOf,
  parseMtts,
  parseTerminalType,
  speaksCp437,
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
  /** The client says that its user has the screen read out: leave out what only draws. */
  readonly screenReader: boolean;
  /** The character set agreed by CHARSET, as the client spells it. */
  readonly charset: string | undefined;
  /**
   * The character set that text is in, both ways: what was chosen or agreed; US-ASCII for a client that refused all that
   * was offered or says that it has no UTF-8; what its type or its LANG says; otherwise UTF-8.
   */
  readonly encoding: Charset;
  /** The few environment variables that are asked for. Data to look at: a program gets of it what `acceptEnvironment` names. */
  readonly environment: ReadonlyMap<EnvironmentName, string>;
  /** In bits a second, where the client has told. */
  readonly speed: TerminalSpeed | undefined;
}

/**
 * Whether the client is one to ask for keys. Clients of multi-user worlds edit lines themselves and take WILL ECHO for a
 * password; a screen reader reads whole lines best; and a client that has said nothing of itself is no terminal as far as
 * anyone knows.
 */
export const isInteractive = ({ client, type, screenReader }: Terminal): boolean =>
  client === undefined && type !== 'unknown' && !screenReader;

/** What is assumed of a client that says nothing about itself. */
export const UNKNOWN_TERMINAL: Terminal = {
  type: 'unknown',
  names: [],
  columns: 80,
  rows: 24,
  client: undefined,
  abilities: [],
  screenReader: false,
  charset: undefined,
  encoding: 'UTF-8',
  environment: new Map(),
  speed: undefined,
};

export interface Discovery {
  readonly terminal: Terminal;
  /** True once the type and the size are known, or refused. */
  readonly settled: boolean;
  /** True once the client has named itself in full, or won't. */
  readonly named: boolean;
  /** Asks for what every session wants to know. */
  start(): void;
  /** An option has gone on or off. */
  changed(change: Change): void;
  /** The payload of an option. */
  received(option: number, payload: Uint8Array): void;
  /** The handler says what text is in; undefined leaves it to the client. */
  choose(encoding: Charset | undefined): void;
}

const { TTYPE, NAWS, CHARSET, EOR, TSPEED } = OPTIONS;
const NEW_ENVIRON = OPTIONS['NEW-ENVIRON'];

/** Discovers the terminal of one connection. */
export function createDiscovery(options: PeerOptions): Discovery {
  let terminal = UNKNOWN_TERMINAL;
  let named = false;
  let sized = false;
  let chosen: Charset | undefined;
  /** Our own request for a character set: crossing ones are settled in its favour. */
  let charsetRequest: 'none' | 'sent' | 'crossed' | 'rejected' = 'none';

  const ask = (side: 'us' | 'peer', option: number): void => options.request(side, option, true);
  const { send } = options;
  const learn = (news: Partial<Terminal>): void => {
    const known = { ...terminal, ...news };
    terminal = { ...known, encoding: chosen ?? encodingOf(known, charsetRequest === 'rejected') };
  };

  const allNamed = (): void => {
    if (named) return;
    named = true;
    // Prompts that end in EOR, and a character set by agreement, mean something to these clients alone.
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
      const type = terminalOf(names) ?? 'unknown';
      learn({ names, type, client: mudClientOf(names), abilities, screenReader: abilities.includes('screen-reader') });
    }
    if (done) allNamed();
    else if (!named) send(TTYPE.code, TERMINAL_TYPE_SEND);
  };

  const receivedSize = (payload: Uint8Array): void => {
    const size = parseWindowSize(payload);
    if (size === undefined) return;
    sized = true;
    const { columns = terminal.columns, rows = terminal.rows } = size;
    if (columns !== terminal.columns || rows !== terminal.rows) learn({ columns, rows });
  };

  /** RFC 2066: where both have asked, the server refuses and the client answers. */
  const requestedCharset = (charsets: readonly string[]): void => {
    if (charsetRequest === 'sent') {
      charsetRequest = 'crossed';
      send(CHARSET.code, CHARSET_REJECTED);
      return;
    }
    const { payload, charset } = answerCharsetRequest(charsets);
    send(CHARSET.code, payload);
    if (charset !== undefined) learn({ charset });
  };

  const receivedCharset = (payload: Uint8Array): void => {
    const message = parseCharset(payload);
    switch (message?.type) {
      case 'request':
        requestedCharset(message.charsets);
        return;
      case 'accepted':
        charsetRequest = 'none';
        learn({ charset: message.charset });
        return;
      case 'rejected':
        if (charsetRequest === 'none') return;
        charsetRequest = 'rejected';
        learn({});
        return;
      case 'table':
        send(CHARSET.code, CHARSET_TABLE_REJECTED);
        return;
      case undefined:
    }
  };

  return {
    get terminal() {
      return terminal;
    },
    get named() {
      return named || options.state('peer', TTYPE.code) === 'no';
    },
    get settled() {
      return this.named && (sized || options.state('peer', NAWS.code) === 'no');
    },
    start() {
      ask('peer', TTYPE.code);
      ask('peer', NAWS.code);
    },
    changed({ side, option, enabled }) {
      if (!enabled) return;
      if (side === 'peer' && option === TTYPE.code) send(TTYPE.code, TERMINAL_TYPE_SEND);
      else if (side === 'peer' && option === NEW_ENVIRON.code) send(NEW_ENVIRON.code, ENVIRONMENT_SEND);
      else if (side === 'peer' && option === TSPEED.code) send(TSPEED.code, TERMINAL_SPEED_SEND);
      else if (side === 'us' && option === CHARSET.code) {
        charsetRequest = 'sent';
        send(CHARSET.code, CHARSET_REQUEST);
      }
    },
    received(option, payload) {
      if (option === TTYPE.code) receivedName(payload);
      else if (option === NAWS.code) receivedSize(payload);
      else if (option === CHARSET.code) receivedCharset(payload);
      else if (option === TSPEED.code) {
        const speed = parseTerminalSpeed(payload);
        if (speed !== undefined) learn({ speed });
      } else if (option === NEW_ENVIRON.code) {
        const environment = parseEnvironment(payload);
        if (environment !== undefined) learn({ environment: new Map([...terminal.environment, ...environment]) });
      }
    },
    choose(encoding) {
      chosen = encoding;
      learn({});
    },
  };
}

/** What the text of this client is in, if nobody says otherwise. */
function encodingOf({ charset, abilities, names, environment }: Terminal, isRejected: boolean): Charset {
  const agreed = charset === undefined ? undefined : charsetOf(charset);
  if (agreed !== undefined) return agreed;
  if (isRejected || (abilities.length > 0 && !abilities.includes('utf-8'))) return 'US-ASCII';
  if (speaksCp437(names)) return 'CP437';
  // `de_DE.ISO-8859-1`; the first that is set counts, as in POSIX.
  const locale = environment.get('LC_ALL') ?? environment.get('LC_CTYPE') ?? environment.get('LANG') ?? '';
  return charsetOf(locale.split('.')[1]?.split('@')[0] ?? '') ?? 'UTF-8';
}

// What may be on in which direction, and who may say so first. A row is an option that this package knows; the
// compliance page is made from it, and every option without a row is refused, once.

import { OPTIONS, type OptionName } from './codes.ts';

export type Consent =
  /** The peer may start, and so may we. */
  | 'agreed'
  /** When our program asks for it. Until then the peer is refused. */
  | 'on request'
  /** Never. */
  | 'refused';

export interface OptionRow {
  /** Our side: what a DO of the peer gets, and whether we may say WILL. */
  readonly us: Consent;
  /** The peer's side: what its WILL gets, and whether we may say DO. */
  readonly peer: Consent;
  /** What it is used for here, or why not. */
  readonly note: string;
}

export const OPTION_TABLE = {
  BINARY: { us: 'agreed', peer: 'agreed', note: 'per direction; `setBinary` asks for it' },
  ECHO: {
    us: 'on request',
    peer: 'refused',
    note: 'ours for character mode and for passwords. Never the one of the client: SyncTERM answers DO ECHO with WILL ECHO, and all would come twice',
  },
  SGA: {
    us: 'on request',
    peer: 'agreed',
    note: 'ours together with ECHO: alone it makes inetutils and PuTTY send keys and show them themselves. We never send DO SGA first',
  },
  STATUS: { us: 'agreed', peer: 'refused', note: 'we tell what is on, ten times a second at most' },
  'TIMING-MARK': {
    us: 'agreed',
    peer: 'refused',
    note: 'has no state: each DO is answered, in its turn or behind an interrupt at once',
  },
  LOGOUT: { us: 'refused', peer: 'refused', note: 'a client leaves by closing' },
  TTYPE: { us: 'refused', peer: 'agreed', note: 'asked for at the start, up to eight names; MTTS is read' },
  EOR: { us: 'agreed', peer: 'refused', note: 'marks prompts; offered to MUD clients' },
  NAWS: { us: 'refused', peer: 'agreed', note: 'asked for at the start; 0 is unknown, more than 1000 is cut' },
  TSPEED: { us: 'refused', peer: 'agreed', note: 'read when the client offers it' },
  LFLOW: { us: 'refused', peer: 'refused', note: 'flow control is for the terminal at the other end' },
  LINEMODE: {
    us: 'refused',
    peer: 'on request',
    note: '`linemode: true`; EDIT, TRAPSIG and the special characters; no FORWARDMASK',
  },
  XDISPLOC: { us: 'refused', peer: 'refused', note: 'no X display is opened' },
  ENVIRON: { us: 'refused', peer: 'refused', note: 'RFC 1408 is superseded by NEW-ENVIRON' },
  AUTHENTICATION: {
    us: 'refused',
    peer: 'refused',
    note: 'its mechanisms are broken; refused at once, since C-Kermit waits',
  },
  ENCRYPT: { us: 'refused', peer: 'refused', note: 'DES is broken; TLS is the way' },
  'NEW-ENVIRON': {
    us: 'refused',
    peer: 'agreed',
    note: 'four names are asked for and kept; they reach a program only by `acceptEnvironment`',
  },
  CHARSET: {
    us: 'agreed',
    peer: 'agreed',
    note: 'UTF-8, Latin-1, CP437 and ASCII, either side may ask; no translation tables',
  },
  'COM-PORT': { us: 'refused', peer: 'refused', note: 'there is no serial port' },
  STARTTLS: { us: 'refused', peer: 'on request', note: '`startTls`; for `tls://` listeners none of it is needed' },
  MSDP: {
    us: 'on request',
    peer: 'refused',
    note: '`msdp: true`; offered to MUD clients, and agreed to when another asks',
  },
  MSSP: { us: 'on request', peer: 'refused', note: '`mssp`; offered to every client, since crawlers answer nothing' },
  MCCP2: {
    us: 'on request',
    peer: 'refused',
    note: '`mccp: true`; offered to MUD clients, never under TLS',
  },
  MCCP3: { us: 'refused', peer: 'refused', note: 'what clients send is short' },
  GMCP: {
    us: 'on request',
    peer: 'refused',
    note: '`gmcp: true`; offered to MUD clients, and agreed to when another asks',
  },
} as const satisfies Record<OptionName, OptionRow>;

const UNKNOWN: OptionRow = { us: 'refused', peer: 'refused', note: 'unknown' };

const BY_CODE = new Map<number, OptionRow>();
for (const [name, { code }] of Object.entries(OPTIONS)) BY_CODE.set(code, OPTION_TABLE[name as OptionName]);

/** The row of an option by its number. */
export const optionRow = (option: number): OptionRow => BY_CODE.get(option) ?? UNKNOWN;

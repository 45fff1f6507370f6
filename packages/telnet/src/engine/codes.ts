// The numbers of TELNET as tables: commands (RFC 854 and its extensions) and the options this package knows by name.

/** Commands: what may follow IAC. */
export const COMMANDS = {
  EOF: { code: 236, rfc: '1184' },
  SUSP: { code: 237, rfc: '1184' },
  ABORT: { code: 238, rfc: '1184' },
  EOR: { code: 239, rfc: '885' },
  SE: { code: 240, rfc: '854' },
  NOP: { code: 241, rfc: '854' },
  DM: { code: 242, rfc: '854' },
  BRK: { code: 243, rfc: '854' },
  IP: { code: 244, rfc: '854' },
  AO: { code: 245, rfc: '854' },
  AYT: { code: 246, rfc: '854' },
  EC: { code: 247, rfc: '854' },
  EL: { code: 248, rfc: '854' },
  GA: { code: 249, rfc: '854' },
  SB: { code: 250, rfc: '854' },
  WILL: { code: 251, rfc: '854' },
  WONT: { code: 252, rfc: '854' },
  DO: { code: 253, rfc: '854' },
  DONT: { code: 254, rfc: '854' },
  IAC: { code: 255, rfc: '854' },
} as const satisfies Record<string, CodeSpec>;

/** Options, by the name their RFC or their users give them. `rfc` is empty where only practice defines one. */
export const OPTIONS = {
  BINARY: { code: 0, rfc: '856' },
  ECHO: { code: 1, rfc: '857' },
  SGA: { code: 3, rfc: '858' },
  STATUS: { code: 5, rfc: '859' },
  'TIMING-MARK': { code: 6, rfc: '860' },
  LOGOUT: { code: 18, rfc: '727' },
  TTYPE: { code: 24, rfc: '1091' },
  EOR: { code: 25, rfc: '885' },
  NAWS: { code: 31, rfc: '1073' },
  TSPEED: { code: 32, rfc: '1079' },
  LFLOW: { code: 33, rfc: '1372' },
  LINEMODE: { code: 34, rfc: '1184' },
  XDISPLOC: { code: 35, rfc: '1096' },
  ENVIRON: { code: 36, rfc: '1408' },
  AUTHENTICATION: { code: 37, rfc: '2941' },
  ENCRYPT: { code: 38, rfc: '2946' },
  'NEW-ENVIRON': { code: 39, rfc: '1572' },
  CHARSET: { code: 42, rfc: '2066' },
  'COM-PORT': { code: 44, rfc: '2217' },
  STARTTLS: { code: 46, rfc: '' },
  MSDP: { code: 69, rfc: '' },
  MSSP: { code: 70, rfc: '' },
  MCCP2: { code: 86, rfc: '' },
  MCCP3: { code: 87, rfc: '' },
  GMCP: { code: 201, rfc: '' },
} as const satisfies Record<string, CodeSpec>;

interface CodeSpec {
  readonly code: number;
  readonly rfc: string;
}

export type OptionName = keyof typeof OPTIONS;
export type Verb = 'WILL' | 'WONT' | 'DO' | 'DONT';
/** Commands that stand alone: two bytes, no option. */
export type CommandName = Exclude<keyof typeof COMMANDS, Verb | 'SB' | 'SE' | 'IAC'>;

export const IAC = COMMANDS.IAC.code;
export const SE = COMMANDS.SE.code;
export const SB = COMMANDS.SB.code;
export const DM = COMMANDS.DM.code;
/** Below this no byte after IAC is a command. */
export const LOWEST_COMMAND = COMMANDS.EOF.code;

const VERBS = new Map<number, Verb>(
  (['WILL', 'WONT', 'DO', 'DONT'] as const).map((verb) => [COMMANDS[verb].code, verb]),
);
const STANDALONE = new Map<number, CommandName>(
  (['EOF', 'SUSP', 'ABORT', 'EOR', 'NOP', 'DM', 'BRK', 'IP', 'AO', 'AYT', 'EC', 'EL', 'GA'] as const).map((name) => [
    COMMANDS[name].code,
    name,
  ]),
);
const OPTION_NAMES = new Map<number, OptionName>();
for (const [name, { code }] of Object.entries(OPTIONS)) OPTION_NAMES.set(code, name as OptionName);

export const verbOf = (code: number): Verb | undefined => VERBS.get(code);
export const commandOf = (code: number): CommandName | undefined => STANDALONE.get(code);

/** The option's name, or its number as text where it has none here. */
export const optionText = (option: number): string => OPTION_NAMES.get(option) ?? String(option);

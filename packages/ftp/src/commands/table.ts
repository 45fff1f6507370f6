// Every command is a row. Dispatch, the login rule, HELP, FEAT, the documentation and the tests all read the rows.

import * as access from './access.ts';
import type { SessionContext } from '../session-state.ts';
import type { CommandSpec } from './command-spec.ts';
import * as files from './files.ts';
import { feat, help } from './help.ts';
import * as information from './information.ts';
import * as parameters from './parameters.ts';
import * as security from './security.ts';
import * as transfers from './transfers.ts';

const hasTls = (session: SessionContext): boolean => session.hasTls;
const never = (): boolean => false;
const { notImplemented } = information;

export const COMMANDS = {
  USER: { rfc: '959 §4.1.1', access: 'anyone', argument: 'required', help: 'USER <name>', run: access.user },
  PASS: { rfc: '959 §4.1.1', access: 'anyone', argument: 'optional', help: 'PASS <password>', run: access.pass },
  ACCT: {
    rfc: '959 §4.1.1',
    access: 'anyone',
    argument: 'required',
    help: 'ACCT <account>',
    run: information.superfluous,
  },
  REIN: {
    rfc: '959 §4.1.1',
    access: 'anyone',
    argument: 'none',
    help: 'REIN',
    duringTransfer: 'answers',
    run: access.rein,
  },
  QUIT: {
    rfc: '959 §4.1.1',
    access: 'anyone',
    argument: 'none',
    help: 'QUIT',
    duringTransfer: 'answers',
    run: access.quit,
  },
  CWD: { rfc: '959 §4.1.1', access: 'user', argument: 'required', help: 'CWD <path>', run: files.cwd },
  XCWD: { rfc: '775', access: 'user', argument: 'required', help: 'XCWD <path>', run: files.cwd },
  CDUP: { rfc: '959 §4.1.1', access: 'user', argument: 'none', help: 'CDUP', run: files.cdup },
  XCUP: { rfc: '775', access: 'user', argument: 'none', help: 'XCUP', run: files.cdup },
  PWD: { rfc: '959 §4.1.3', access: 'user', argument: 'none', help: 'PWD', run: files.pwd },
  XPWD: { rfc: '775', access: 'user', argument: 'none', help: 'XPWD', run: files.pwd },

  TYPE: { rfc: '959 §4.1.2', access: 'user', argument: 'required', help: 'TYPE A|I|L 8', run: parameters.type },
  STRU: { rfc: '959 §4.1.2', access: 'user', argument: 'required', help: 'STRU F|R', run: parameters.stru },
  MODE: { rfc: '959 §4.1.2', access: 'user', argument: 'required', help: 'MODE S', run: parameters.mode },
  PORT: {
    rfc: '959 §4.1.2',
    access: 'user',
    argument: 'required',
    help: 'PORT <h1,h2,h3,h4,p1,p2>',
    run: parameters.port,
  },
  PASV: { rfc: '959 §4.1.2', access: 'user', argument: 'none', help: 'PASV', run: parameters.pasv },
  EPRT: {
    rfc: '2428 §2',
    access: 'user',
    argument: 'required',
    help: 'EPRT |<protocol>|<address>|<port>|',
    feature: 'EPRT',
    run: parameters.eprt,
  },
  EPSV: {
    rfc: '2428 §3',
    access: 'user',
    argument: 'optional',
    help: 'EPSV [1|2|ALL]',
    feature: 'EPSV',
    run: parameters.epsv,
  },
  REST: {
    rfc: '3659 §5',
    access: 'user',
    argument: 'required',
    help: 'REST <position>',
    feature: 'REST STREAM',
    run: parameters.rest,
  },

  RETR: { rfc: '959 §4.1.3', access: 'user', argument: 'required', help: 'RETR <path>', run: transfers.retr },
  STOR: { rfc: '959 §4.1.3', access: 'writer', argument: 'required', help: 'STOR <path>', run: transfers.stor },
  STOU: { rfc: '1123 §4.1.2.9', access: 'writer', argument: 'optional', help: 'STOU [<path>]', run: transfers.stou },
  APPE: { rfc: '959 §4.1.3', access: 'writer', argument: 'required', help: 'APPE <path>', run: transfers.appe },
  LIST: { rfc: '959 §4.1.3', access: 'user', argument: 'optional', help: 'LIST [<path>]', run: transfers.list },
  NLST: { rfc: '959 §4.1.3', access: 'user', argument: 'optional', help: 'NLST [<path>]', run: transfers.nlst },
  MLSD: { rfc: '3659 §7', access: 'user', argument: 'optional', help: 'MLSD [<path>]', run: transfers.mlsd },
  MLST: {
    rfc: '3659 §7',
    access: 'user',
    argument: 'optional',
    help: 'MLST [<path>]',
    feature: 'MLST',
    run: files.mlst,
  },
  ABOR: {
    rfc: '959 §4.1.3',
    access: 'user',
    argument: 'none',
    help: 'ABOR',
    duringTransfer: 'aborts',
    run: transfers.abor,
  },

  ALLO: { rfc: '959 §4.1.3', access: 'user', argument: 'required', help: 'ALLO <bytes>', run: information.okay },
  SIZE: { rfc: '3659 §4', access: 'user', argument: 'required', help: 'SIZE <path>', feature: 'SIZE', run: files.size },
  MDTM: { rfc: '3659 §3', access: 'user', argument: 'required', help: 'MDTM <path>', feature: 'MDTM', run: files.mdtm },
  MFMT: {
    rfc: 'draft-somers-ftp-mfxx-04 §3.1',
    access: 'writer',
    argument: 'required',
    help: 'MFMT <time> <path>',
    feature: 'MFMT',
    run: files.mfmt,
  },
  DELE: { rfc: '959 §4.1.3', access: 'writer', argument: 'required', help: 'DELE <path>', run: files.dele },
  MKD: { rfc: '959 §4.1.3', access: 'writer', argument: 'required', help: 'MKD <path>', run: files.mkd },
  XMKD: { rfc: '775', access: 'writer', argument: 'required', help: 'XMKD <path>', run: files.mkd },
  RMD: { rfc: '959 §4.1.3', access: 'writer', argument: 'required', help: 'RMD <path>', run: files.rmd },
  XRMD: { rfc: '775', access: 'writer', argument: 'required', help: 'XRMD <path>', run: files.rmd },
  RNFR: { rfc: '959 §4.1.3', access: 'writer', argument: 'required', help: 'RNFR <path>', run: files.rnfr },
  RNTO: { rfc: '959 §4.1.3', access: 'writer', argument: 'required', help: 'RNTO <path>', run: files.rnto },

  NOOP: {
    rfc: '959 §4.1.3',
    access: 'anyone',
    argument: 'optional',
    help: 'NOOP',
    duringTransfer: 'answers',
    run: information.okay,
  },
  SYST: { rfc: '959 §4.1.3', access: 'anyone', argument: 'none', help: 'SYST', run: information.syst },
  HELP: {
    rfc: '959 §4.1.3',
    access: 'anyone',
    argument: 'optional',
    help: 'HELP [<command>]',
    run: (call) => help(call, commandRows()),
  },
  STAT: {
    rfc: '959 §4.1.3',
    access: 'user',
    argument: 'optional',
    help: 'STAT [<path>]',
    duringTransfer: 'answers',
    run: information.stat,
  },
  SITE: { rfc: '959 §4.1.3', access: 'user', argument: 'required', help: 'SITE HELP|CHMOD', run: information.site },
  FEAT: { rfc: '2389 §3', access: 'anyone', argument: 'none', help: 'FEAT', run: (call) => feat(call, commandRows()) },
  OPTS: {
    rfc: '2389 §4',
    access: 'anyone',
    argument: 'required',
    help: 'OPTS UTF8 ON|MLST <facts>',
    run: information.opts,
  },
  CLNT: {
    rfc: 'none',
    access: 'anyone',
    argument: 'required',
    help: 'CLNT <name>',
    feature: 'CLNT',
    run: information.okay,
  },

  AUTH: {
    rfc: '4217 §4',
    access: 'anyone',
    argument: 'required',
    help: 'AUTH TLS',
    feature: 'AUTH TLS',
    offered: hasTls,
    run: security.auth,
  },
  PBSZ: {
    rfc: '4217 §8',
    access: 'anyone',
    argument: 'required',
    help: 'PBSZ 0',
    feature: 'PBSZ',
    offered: hasTls,
    run: security.pbsz,
  },
  PROT: {
    rfc: '4217 §9',
    access: 'anyone',
    argument: 'required',
    help: 'PROT C|P',
    feature: 'PROT',
    offered: hasTls,
    run: security.prot,
  },
  CCC: { rfc: '4217 §16', access: 'anyone', argument: 'optional', help: 'CCC', offered: never, run: notImplemented },
  HOST: { rfc: '7151', access: 'anyone', argument: 'optional', help: 'HOST', offered: never, run: notImplemented },
  LANG: { rfc: '2640 §4', access: 'anyone', argument: 'optional', help: 'LANG', offered: never, run: notImplemented },
  SMNT: {
    rfc: '959 §4.1.1',
    access: 'anyone',
    argument: 'optional',
    help: 'SMNT',
    offered: never,
    run: notImplemented,
  },
} as const satisfies Record<string, CommandSpec>;

export type Verb = keyof typeof COMMANDS;

/** Every row with its verb, for a caller that walks the table. */
export const commandRows = (): readonly (readonly [string, CommandSpec])[] => Object.entries<CommandSpec>(COMMANDS);

// `in` would also find `toString`; the network must only reach the table.
const isVerb = (verb: string): verb is Verb => Object.hasOwn(COMMANDS, verb);

/** The row of a verb; undefined for a verb that is no command. */
export const specOf = (verb: string): CommandSpec | undefined => (isVerb(verb) ? COMMANDS[verb] : undefined);

// The rows of commands about the session: who it is, how it is protected, where it stands, how it transfers.

import type { SessionContext } from '../session-state.ts';
import * as access from './access.ts';
import type { CommandSpec } from './command-spec.ts';
import * as files from './files.ts';
import * as information from './information.ts';
import * as parameters from './parameters.ts';
import * as security from './security.ts';
import { site } from './site.ts';

const hasTls = (session: SessionContext): boolean => session.hasTls;
const never = (): boolean => false;
const { notImplemented } = information;

export const SESSION_ROWS = {
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
  NOOP: {
    rfc: '959 §4.1.3',
    access: 'anyone',
    argument: 'optional',
    help: 'NOOP',
    duringTransfer: 'answers',
    run: information.okay,
  },
  SYST: { rfc: '959 §4.1.3', access: 'anyone', argument: 'none', help: 'SYST', run: information.syst },
  STAT: {
    rfc: '959 §4.1.3',
    access: 'user',
    argument: 'optional',
    help: 'STAT [<path>]',
    duringTransfer: 'answers',
    run: information.stat,
  },
  SITE: { rfc: '959 §4.1.3', access: 'user', argument: 'required', help: 'SITE HELP [<word>]|<command>', run: site },
  OPTS: {
    rfc: '2389 §4',
    access: 'anyone',
    argument: 'required',
    help: 'OPTS UTF8 ON|MLST <facts>|HASH <name>',
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
    rfc: '4217 §9',
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
  CCC: { rfc: '4217 §5', access: 'anyone', argument: 'optional', help: 'CCC', offered: never, run: notImplemented },
  HOST: {
    rfc: '7151 §3',
    access: 'anyone',
    argument: 'required',
    help: 'HOST <name>',
    feature: 'HOST',
    run: information.host,
  },
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

// The rows of commands that move, list or change files.

import type { HashAlgorithm } from '../file-system.ts';
import type { SessionContext, SessionState } from '../session-state.ts';
import * as attributes from './attributes.ts';
import * as checksums from './checksums.ts';
import type { CommandSpec } from './command-spec.ts';
import * as files from './files.ts';
import * as information from './information.ts';
import * as transfers from './transfers.ts';

const mayCount = ({ checksums: isOn }: SessionContext, state: SessionState): boolean =>
  isOn && !(state.at === 'ready' && state.login.isAnonymous);

const xHash = (verb: string, algorithm: HashAlgorithm): CommandSpec => ({
  rfc: 'none',
  access: 'user',
  argument: 'required',
  help: `${verb} <path>|"<path>" [<start> [<end>]]`,
  feature: verb,
  offered: mayCount,
  run: checksums.xHash(algorithm),
});

export const FILE_ROWS = {
  RETR: { rfc: '959 §4.1.3', access: 'user', argument: 'required', help: 'RETR <path>', run: transfers.retr },
  STOR: {
    rfc: '959 §4.1.3',
    access: 'writer',
    needs: 'write',
    argument: 'required',
    help: 'STOR <path>',
    run: transfers.stor,
  },
  STOU: {
    rfc: '1123 §4.1.2.9',
    access: 'writer',
    needs: 'write',
    argument: 'optional',
    help: 'STOU [<path>]',
    run: transfers.stou,
  },
  APPE: {
    rfc: '959 §4.1.3',
    access: 'writer',
    needs: 'write',
    argument: 'required',
    help: 'APPE <path>',
    run: transfers.appe,
  },
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
  ALLO: { rfc: '959 §4.1.3', access: 'user', argument: 'required', help: 'ALLO <bytes>', run: information.allo },
  SIZE: {
    rfc: '3659 §4',
    access: 'user',
    argument: 'required',
    help: 'SIZE <path>',
    feature: 'SIZE',
    run: attributes.size,
  },
  MDTM: {
    rfc: '3659 §3',
    access: 'user',
    argument: 'required',
    help: 'MDTM [<time>] <path>',
    feature: 'MDTM',
    run: attributes.mdtm,
  },
  MFMT: {
    rfc: 'draft-somers-ftp-mfxx-04 §3.1',
    access: 'writer',
    needs: 'setTimes',
    argument: 'required',
    help: 'MFMT <time> <path>',
    feature: 'MFMT',
    run: attributes.mfmt,
  },
  DELE: {
    rfc: '959 §4.1.3',
    access: 'writer',
    needs: 'removeFile',
    argument: 'required',
    help: 'DELE <path>',
    run: files.dele,
  },
  MKD: {
    rfc: '959 §4.1.3',
    access: 'writer',
    needs: 'makeDirectory',
    argument: 'required',
    help: 'MKD <path>',
    run: files.mkd,
  },
  XMKD: {
    rfc: '775',
    access: 'writer',
    needs: 'makeDirectory',
    argument: 'required',
    help: 'XMKD <path>',
    run: files.mkd,
  },
  RMD: {
    rfc: '959 §4.1.3',
    access: 'writer',
    needs: 'removeDirectory',
    argument: 'required',
    help: 'RMD <path>',
    run: files.rmd,
  },
  XRMD: {
    rfc: '775',
    access: 'writer',
    needs: 'removeDirectory',
    argument: 'required',
    help: 'XRMD <path>',
    run: files.rmd,
  },
  RNFR: {
    rfc: '959 §4.1.3',
    access: 'writer',
    needs: 'rename',
    argument: 'required',
    help: 'RNFR <path>',
    run: files.rnfr,
  },
  RNTO: {
    rfc: '959 §4.1.3',
    access: 'writer',
    needs: 'rename',
    argument: 'required',
    help: 'RNTO <path>',
    run: files.rnto,
  },
  AVBL: {
    rfc: 'draft-peterson-streamlined-ftp-command-extensions-10 §4',
    access: 'user',
    needs: 'space',
    argument: 'optional',
    help: 'AVBL [<path>]',
    feature: 'AVBL',
    run: attributes.avbl,
  },
  HASH: {
    rfc: 'draft-bryan-ftpext-hash-02',
    access: 'user',
    argument: 'required',
    help: 'HASH <path>',
    feature: 'HASH',
    offered: mayCount,
    run: checksums.hash,
  },
  MD5: {
    rfc: 'draft-twine-ftpmd5-00',
    access: 'user',
    argument: 'required',
    help: 'MD5 <path>',
    feature: 'MD5',
    offered: mayCount,
    run: checksums.md5,
  },
  XCRC: xHash('XCRC', 'crc32'),
  XMD5: xHash('XMD5', 'md5'),
  XSHA: xHash('XSHA', 'sha1'),
  XSHA1: xHash('XSHA1', 'sha1'),
  XSHA256: xHash('XSHA256', 'sha256'),
  XSHA512: xHash('XSHA512', 'sha512'),
} as const satisfies Record<string, CommandSpec>;

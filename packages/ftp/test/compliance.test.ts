// docs/compliance/ftp.md is made from the command table: `npx vitest run packages/ftp/test/compliance.test.ts --update` writes
// it anew.

import path from 'node:path';
import { expect, test } from 'vitest';
import { commandRows } from '../src/commands/table.ts';
import { siteHelp } from '../src/commands/site.ts';
import { session } from './deciding.ts';

const ACCESS = { anyone: 'no', user: 'yes', writer: 'yes, and rights to change files' } as const;

function page(): string {
  const rows = commandRows().map(([verb, { rfc, access, help, feature, needs, duringTransfer, offered }]) => {
    const isNever =
      offered?.({ ...session, hasTls: true, checksums: true }, { ...session, at: 'greeted' } as never) === false;
    const notes = [
      isNever ? 'not implemented: 502' : '',
      verb === 'AUTH' || verb === 'PBSZ' || verb === 'PROT' ? 'with a certificate' : '',
      rfc.includes('hash') || verb === 'MD5' || /^X(?:CRC|MD5|SHA)/.test(verb) ? 'not for anonymous users' : '',
      needs === undefined ? '' : `file system with \`${needs}\``,
      duringTransfer === 'answers'
        ? 'answered during a transfer'
        : duringTransfer === 'aborts'
          ? 'ends a transfer'
          : '',
    ].filter((note) => note !== '');
    return `| \`${help.replaceAll('|', '\\|')}\` | ${rfc} | ${ACCESS[access]} | ${feature ?? ''} | ${notes.join('; ')} |`;
  });
  return [
    '# FTP: the commands',
    '',
    'Made from the command table (`packages/ftp/src/commands`), which also drives dispatch, permission, HELP and FEAT.',
    '',
    '| command | source (RFC or draft) | login | FEAT | notes |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    `SITE: ${siteHelp(session, '')
      .lines.slice(1, -1)
      .map((line) => `\`${line}\``)
      .join(', ')}, and what the option \`siteCommands\` adds.`,
    '',
    'Where the RFCs leave a choice, or clients need another answer:',
    '',
    '- RFC 959 §4.1.1: QUIT during a transfer is answered 221 at once; the result of the transfer is still said, and then the connection ends.',
    '  REIN is answered at once too, and lets the transfer go on to its end.',
    '- RFC 959 §4.1.3: ABOR is answered 426 for the transfer and 226 for itself; 225 where there was nothing to end. ALLO is 200, not 202.',
    '- RFC 959 §3.1.1.1: TYPE A N until TYPE is said (`defaultType` changes that). In TYPE A, SIZE is 550 and REST above 0 is 554, as',
    "  positions mean nothing in converted text; with `ascii: 'ignore'` nothing is converted and both work.",
    '- RFC 1123 §4.1.2.13: STRU R is accepted, and files are stored and sent as they are. STRU P, MODE B and C, TYPE E are 504.',
    '- RFC 2428: data connections have the address family of the control connection; EPSV and EPRT with another are 522.',
    '- RFC 2640: names are UTF-8; bytes that are not UTF-8 get through unchanged. LANG is not implemented.',
    '- RFC 3659 §3: MDTM with a time before the name sets it, unless a file has all of that as its name.',
    '- RFC 4217: USER is 530 in clear where TLS is required, transfers in clear are 521 and PROT C is 534 where data must be private; a data',
    '  connection that does not resume the session where it must is 522. A connection that began with TLS has PROT P. CCC is not implemented.',
    '- RFC 7151: HOST is accepted before the login only. One before AUTH holds behind it, unless the handshake has named another of the hosts (SNI);',
    '  REIN forgets it. Behind the handshake one that names another host is 504. An address is a name like any other: behind a NAT the server does not',
    '  know its own.',
    '- RFC 854: options are refused (RFC 1123 §4.1.2.12), the first 32 of a connection. 0xFF in an argument is a letter, whether a client sends it once',
    '  or twice; replies in clear send it twice.',
    '',
    "Where pyftpdlib's own functional tests expect something else, beside the words of replies:",
    '',
    '| case | here | there |',
    '|---|---|---|',
    '| STOU or APPE behind REST | the position is forgotten | 450 |',
    '| STOU before PASV or PORT | 425 | 150, the connection may follow |',
    '| PORT, EPRT | connects when a transfer begins | connects at once |',
    '| USER in the middle of a transfer | waits for its end; REIN is answered at once | at once |',
    '| STAT without a login | 530 | 211 |',
    '| CWD without a path | 501 | goes to the root |',
    '| `STAT *` | one level is expanded | 550 |',
    '| STRU R; `TYPE L 7`; `ALLO x` | 200; 504; 501 | 504; 200; 202 |',
    '| nobody connects to the passive port, or nothing is said after it | 425 with the next transfer; the idle timeout | 421 unasked |',
    '| all passive ports are taken | waits a moment, then 425 | a port outside of the range |',
    '| more connections than allowed at once | they wait to be accepted; of one address: 421 | 421 |',
    '',
  ].join('\n');
}

test('docs/compliance/ftp.md says what the table says', async () => {
  await expect(page()).toMatchFileSnapshot(path.join(import.meta.dirname, '../../../docs/compliance/ftp.md'));
});

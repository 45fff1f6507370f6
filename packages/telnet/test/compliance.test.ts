// docs/compliance/telnet.md is made from the tables; `vitest -u` writes it anew.

import { expect, test } from 'vitest';
import { COMMANDS, OPTIONS, type OptionName } from '../src/engine/codes.ts';
import { OPTION_TABLE, type Consent } from '../src/engine/option-table.ts';

const CONSENT: Readonly<Record<Consent, string>> = {
  agreed: 'yes',
  'on request': 'when our side asks',
  refused: 'no',
};

const DOES: Readonly<Record<keyof typeof COMMANDS, string>> = {
  EOF: 'ends the input of an empty line; ^D among raw bytes',
  SUSP: 'event `suspend`; ^Z among raw bytes',
  ABORT: 'as IP, with ^\\ among raw bytes',
  EOR: 'ignored; sent behind prompts where agreed',
  SE: 'ends a subnegotiation; ignored alone',
  NOP: 'ignored',
  DM: 'ignored; sent where waiting output was dropped. A lone one, left over from urgent data, is dropped',
  BRK: 'event `break`; without a listener as IP',
  IP: 'event `interrupt`; unread input and waiting output are dropped, the place is marked with DM; ^C among raw bytes',
  AO: 'waiting output is dropped, the place is marked with DM',
  AYT: '`[Yes]`, or the event `ayt`; ten times a second at most',
  EC: 'erases a character of the line; DEL among raw bytes',
  EL: 'erases the line; ^U among raw bytes',
  GA: 'ignored; sent behind prompts to MUD clients without SGA',
  SB: 'begins a subnegotiation: 4096 bytes and ten seconds at most',
  WILL: 'RFC 1143',
  WONT: 'RFC 1143',
  DO: 'RFC 1143',
  DONT: 'RFC 1143',
  IAC: 'a byte of data; a lone one before no command, left over from urgent data, is dropped',
};

const rfc = (number: string): string =>
  number === '' ? '–' : `[${number}](https://www.rfc-editor.org/rfc/rfc${number})`;

function page(): string {
  const commands = Object.entries(COMMANDS).map(
    ([name, { code, rfc: number }]) =>
      `| ${name} | ${code} | ${rfc(number)} | ${DOES[name as keyof typeof COMMANDS]} |`,
  );
  const options = Object.entries(OPTIONS).map(([name, { code, rfc: number }]) => {
    const { us, peer, note } = OPTION_TABLE[name as OptionName];
    return `| ${name} | ${code} | ${rfc(number)} | ${CONSENT[us]} | ${CONSENT[peer]} | ${note} |`;
  });
  return [
    '# What the telnet server speaks',
    '',
    'Made from the tables of `packages/telnet/src/engine` by a test. An option that is not named here is refused, once in each direction.',
    '',
    '## Commands',
    '',
    'All of them act when they are parsed, ahead of unread input.',
    '',
    '| command | code | RFC | what it does |',
    '|---|---|---|---|',
    ...commands,
    '',
    '## Options',
    '',
    '"Our side" is what a DO of the client gets, "the client\'s side" what its WILL gets.',
    '',
    "| option | code | RFC | our side | the client's side | |",
    '|---|---|---|---|---|---|',
    ...options,
    '',
    '## Left on purpose',
    '',
    "- RFC 1123 §3.2.2 wants SGA supported by every server. It is agreed to for the client's side, and offered for ours with ECHO in",
    '  character mode. A DO SGA in line mode is refused: clients would send every key and show it themselves.',
    '- RFC 854 marks a Synch by urgent data, which Node cannot ask the kernel for. What it leaves in the stream is dropped, and its',
    '  commands act ahead of unread input.',
    '- RFC 854 ends a line with CR LF. CR NUL, CR, LF and LF CR end one too.',
    '- RFC 860 is answered in its turn, but behind an interrupt at once, and after ten seconds whatever the handler does.',
    '',
  ].join('\n');
}

test('the compliance page says what the tables say', async () => {
  await expect(page()).toMatchFileSnapshot('../../../docs/compliance/telnet.md');
});

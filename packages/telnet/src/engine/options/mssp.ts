// MSSP, the MUD Server Status Protocol: variables for crawlers that list servers. As an option, and in plain text for
// crawlers that speak no telnet.

/** Values by variable, such as `NAME`, `PLAYERS`, `UPTIME`, `TLS`. A list is sent as one value after the other. */
export type MsspStatus = Readonly<
  Record<string, string | number | boolean | readonly (string | number | boolean)[] | undefined>
>;

const VAR = 1;
const VAL = 2;
const encoder = new TextEncoder();

/** What a crawler without telnet sends as its first line, and what the answer lies between. */
export const PLAIN_MSSP_REQUEST = 'MSSP-REQUEST';

/** Numbers and booleans as the protocol has them; nothing that could end a value or a line. */
const textOf = (value: string | number | boolean): string =>
  (typeof value === 'boolean' ? (value ? '1' : '0') : String(value)).replace(/[\u0000-\u001f\u007f]/g, ' ');

function rowsOf(status: MsspStatus): { readonly name: string; readonly values: readonly string[] }[] {
  return Object.entries(status).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name: textOf(name), values: [value].flat().map(textOf) }],
  );
}

/** The variables as a payload. */
export const encodeMssp = (status: MsspStatus): Uint8Array =>
  Uint8Array.from(
    rowsOf(status).flatMap(({ name, values }) => [
      VAR,
      ...encoder.encode(name),
      ...values.flatMap((value) => [VAL, ...encoder.encode(value)]),
    ]),
  );

/** The same in plain text: a line for each variable, with tabs between. */
export const plainMssp = (status: MsspStatus): string =>
  [
    '',
    'MSSP-REPLY-START',
    ...rowsOf(status).map(({ name, values }) => [name, ...values].join('\t')),
    'MSSP-REPLY-END',
    '',
  ].join('\n');

// Words for people, made of one line of pino's JSON. Text in, text out.

const LEVELS: Readonly<Record<number, { readonly name: string; readonly colour: number }>> = {
  20: { name: 'debug', colour: 34 },
  30: { name: 'info ', colour: 32 },
  40: { name: 'warn ', colour: 33 },
  50: { name: 'error', colour: 31 },
};
const DIM = 2;

/** What a peer sent may stand in a log line; its control characters must not steer the operator's terminal. */
const printable = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

interface Line {
  readonly level: number;
  readonly time: number;
  readonly pid: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

interface SerializedError {
  readonly message: string;
  readonly stack?: string;
}

const isError = (value: unknown): value is SerializedError =>
  typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;

/** `08:15:00.123 warn  [4711] words key=value`, and below it, indented, the stack of each error among the fields. */
export function prettyLine(line: string, hasColours: boolean): string {
  const { level, time, pid, msg, ...fields } = JSON.parse(line) as Line;
  const coloured = (text: string, code: number): string =>
    hasColours && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  const { name, colour } = LEVELS[level] ?? { name: String(level), colour: DIM };
  const given = Object.entries(fields)
    .map(([key, value]) => {
      const text = isError(value) ? value.message : typeof value === 'string' ? value : JSON.stringify(value);
      return ` ${key}=${printable(text)}`;
    })
    .join('');
  const stacks = Object.values(fields)
    .filter(isError)
    .flatMap(({ stack }) => (stack ?? '').split('\n'))
    .map((text) => `    ${printable(text.trim())}\n`)
    .join('');
  const when = new Date(time).toISOString().slice(11, 23);
  return `${coloured(when, DIM)} ${coloured(name, colour)} [${pid}] ${printable(msg)}${coloured(given, DIM)}\n${coloured(stacks, DIM)}`;
}

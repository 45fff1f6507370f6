// Environment variables (RFC 1572). A client's environment is how login servers were broken again and again (through
// USER, LD_PRELOAD, CREDENTIALS_DIRECTORY), so there is a list of what is asked for and kept, and it is short. What is
// kept is told to the handler; a program gets of it what `acceptEnvironment` names.

const IS = 0;
const SEND = 1;
const INFO = 2;

const VAR = 0;
const VALUE = 1;
const ESC = 2;
const USERVAR = 3;

/** The only variables that are asked for and kept. */
export const ENVIRONMENT_NAMES = ['LANG', 'LC_ALL', 'LC_CTYPE', 'COLORTERM'] as const;
export type EnvironmentName = (typeof ENVIRONMENT_NAMES)[number];

const encoder = new TextEncoder();

/**
 * Asks for the list by name, which keeps a client from telling all it has. It is shorter than the 64 bytes that the
 * smallest client buffer holds (SyncTERM), and never names USER, over which Windows telnet crashes.
 */
export const ENVIRONMENT_SEND: Uint8Array = Uint8Array.of(
  SEND,
  ...ENVIRONMENT_NAMES.flatMap((name) => [USERVAR, ...encoder.encode(name)]),
);

// Locale names and `truecolor` have no other characters; the longest locale name in glibc is under 40. No value begins
// with a hyphen, so that none can become an option of a program.
const VALUE_FORM = /^[A-Za-z0-9][A-Za-z0-9_.@:+-]{0,63}$/;
const decoder = new TextDecoder();

const isKept = (name: string): name is EnvironmentName => (ENVIRONMENT_NAMES as readonly string[]).includes(name);

/**
 * The kept variables of an IS or INFO message; undefined when the payload is neither. Odd names and values are left
 * out.
 */
export function parseEnvironment(payload: Uint8Array): ReadonlyMap<EnvironmentName, string> | undefined {
  if (payload[0] !== IS && payload[0] !== INFO) return undefined;
  const found = new Map<EnvironmentName, string>();
  let name = '';
  let current: number[] = [];
  let reading: 'nothing' | 'name' | 'value' = 'nothing';
  const finish = (): void => {
    const text = decoder.decode(Uint8Array.from(current));
    current = [];
    if (reading === 'name') name = text;
    else if (reading === 'value' && isKept(name) && VALUE_FORM.test(text)) found.set(name, text);
  };
  for (let at = 1; at < payload.length; at += 1) {
    const byte = payload[at] ?? 0;
    if (byte === VAR || byte === USERVAR || byte === VALUE) {
      finish();
      // A value belongs to the name just before it; a second value belongs to none.
      if (byte === VALUE) reading = reading === 'name' ? 'value' : 'nothing';
      else reading = 'name';
    } else if (byte === ESC) {
      at += 1;
      if (at < payload.length) current.push(payload[at] ?? 0);
    } else current.push(byte);
  }
  finish();
  return found;
}

// A login of the program's own: a name and a password, with limits on how often and how long one may try.

import { systemClock, type Clock } from '@wellknown/core';
import { cleanClientText } from './engine/client-text.ts';
import type { TelnetSession } from './session.ts';

export interface AuthenticateOptions<User> {
  /**
   * Who this is; undefined when the name or the password is wrong. Compare in constant time (`timingSafeEqual` over
   * hashes), and take as long for a name that is not known.
   */
  readonly check: (name: string, password: string) => User | undefined | Promise<User | undefined>;
  /** How often one may try. Default: 3, as login(1) has it. */
  readonly maxAttempts?: number;
  /** The wait after the first failure; each further one takes twice as long. Default: 1 second. */
  readonly delayMs?: number;
  /** For all of it. Default: 60 seconds, as login(1) has it. */
  readonly timeoutMs?: number;
  /** Default: `login: `. */
  readonly namePrompt?: string;
  /** Default: `Password: `. */
  readonly passwordPrompt?: string;
  readonly clock?: Clock;
}

// Linux allows 32 characters, and a name is shown and logged.
const MAX_NAME_CHARACTERS = 64;

/**
 * Asks until `check` finds a user. Undefined when it never did: too many attempts, no time left, or the client has gone;
 * end the session then. What is said of a failure does not tell whether the name is known. Rejects as `check` does.
 */
export async function authenticate<User>(
  session: TelnetSession,
  options: AuthenticateOptions<User>,
): Promise<User | undefined> {
  const { timeoutMs = 60_000, clock = systemClock } = options;
  let expire = (): void => undefined;
  const expired = new Promise<'expired'>((resolve) => (expire = () => resolve('expired')));
  const timer = clock.after(timeoutMs, expire);
  const attempts = attempt(session, options, clock);
  try {
    const outcome = await Promise.race([attempts, expired]);
    if (outcome !== 'expired') return outcome.user;
    // A question that still waits ends with the session.
    attempts.catch(() => undefined);
    await session.print(`\nLogin timed out after ${Math.round(timeoutMs / 1000)} seconds.`);
    return undefined;
  } finally {
    timer.cancel();
  }
}

async function attempt<User>(
  session: TelnetSession,
  {
    check,
    maxAttempts = 3,
    delayMs = 1000,
    namePrompt = 'login: ',
    passwordPrompt = 'Password: ',
  }: AuthenticateOptions<User>,
  clock: Clock,
): Promise<{ readonly user: User | undefined }> {
  for (let failures = 0; failures < maxAttempts; failures += 1) {
    if (failures > 0) await new Promise<void>((resolve) => clock.after(delayMs * 2 ** (failures - 1), resolve));
    const name = await session.ask(namePrompt);
    const password = name === undefined ? undefined : await session.askPassword(passwordPrompt);
    if (name === undefined || password === undefined) return { user: undefined };
    const user = await check(cleanClientText(name, MAX_NAME_CHARACTERS), password);
    if (user !== undefined) return { user };
    await session.print('Login incorrect');
  }
  return { user: undefined };
}

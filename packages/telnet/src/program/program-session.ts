// Sessions that are a program, or login(1) of the system (telnetd).

import type { TelnetHandler } from '../connection.ts';
import type { TelnetSession } from '../session.ts';
import type { ProgramStatus } from './program-io.ts';
import type { SpawnOptions } from './spawn-options.ts';

export interface ProgramSessionOptions extends SpawnOptions {
  readonly arguments?: readonly string[];
  /** Told of each end. */
  readonly ended?: (session: TelnetSession, status: ProgramStatus) => void;
}

/** Each session is a run of the program at `file`, and ends with it. */
export function programSession(file: string, options: ProgramSessionOptions = {}): TelnetHandler {
  const { arguments: args = [], ended, ...spawnOptions } = options;
  return async (session) => {
    const status = await session.spawn(file, args, spawnOptions);
    ended?.(session, status);
  };
}

/** Where Linux has it. */
export const DEFAULT_LOGIN = '/bin/login';

/**
 * Each session is login(1), which asks for the name and the password, limits attempts and time, and writes wtmp. Its
 * arguments are `-h` with the address that the connection came from, and nothing that the client has said: no name goes
 * into them (CVE-2026-24061). This process has to be root's.
 */
export function loginSession(
  options: Omit<ProgramSessionOptions, 'arguments' | 'terminal'> & { readonly program?: string } = {},
): TelnetHandler {
  const { program = DEFAULT_LOGIN, ...rest } = options;
  return (session) => {
    const { remote } = session;
    const args = remote.family === 'unix' || remote.address === '' ? [] : ['-h', remote.address];
    return programSession(program, { ...rest, terminal: 'pty', arguments: args })(session);
  };
}

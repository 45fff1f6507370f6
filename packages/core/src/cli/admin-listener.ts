// `--admin` of a program: its token, and whom it may listen for without one.

import { readFileSync } from 'node:fs';
import type { AdminListener } from '../admin/server.ts';
import type { Endpoint } from '../address/endpoint.ts';
import { formatEndpoint } from '../address/endpoint.ts';
import { WellknownError } from '../errors.ts';
import { fileProblem } from '../files/file-problem.ts';
import type { Logger } from '../log.ts';
import type { Server } from '../server.ts';
import { systemClock } from '../time/system-clock.ts';
import type { CommonValues } from './common-values.ts';

const TOKEN_VARIABLE = 'WELLKNOWN_ADMIN_TOKEN';
// A token that can be guessed is none.
const MIN_TOKEN_CHARACTERS = 16;

export type AdminSettings = Pick<CommonValues, 'admin' | 'adminTokenFile'>;

const mistake = (message: string, hint: string): WellknownError =>
  new WellknownError('OPTION_INVALID', message, { fault: 'local', hint });

/** The token, which stands on no command line: any user could read it there. Throws OPTION_INVALID. */
export function readAdminToken({ adminTokenFile }: AdminSettings, environment: NodeJS.ProcessEnv): string | undefined {
  let token = environment[TOKEN_VARIABLE];
  if (adminTokenFile !== undefined) {
    try {
      token = readFileSync(adminTokenFile, 'utf8').trim();
    } catch (error) {
      throw mistake(
        `--admin-token-file '${adminTokenFile}' ${fileProblem('read', error)}`,
        "'openssl rand -hex 16' makes a token for it",
      );
    }
  }
  if (token !== undefined && !new RegExp(`^[\\x21-\\x7e]{${MIN_TOKEN_CHARACTERS},}$`).test(token))
    throw mistake(
      'the token for --admin is too short, or holds a blank or what is not ASCII',
      `it needs at least ${MIN_TOKEN_CHARACTERS} characters, as 'openssl rand -hex 16' makes them`,
    );
  return token;
}

const isLoopback = (endpoint: Endpoint): boolean =>
  endpoint.scheme !== 'unix' && /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i.test(endpoint.host);

/** Checked before anything is bound. Throws OPTION_INVALID. */
export function checkAdmin(settings: AdminSettings, environment: NodeJS.ProcessEnv): void {
  const { admin } = settings;
  if (admin === undefined) return;
  if (readAdminToken(settings, environment) === undefined && !isLoopback(admin))
    throw mistake(
      `--admin ${formatEndpoint(admin)} can be reached by other machines, and there is no token`,
      `name one with --admin-token-file or ${TOKEN_VARIABLE}, or listen on 127.0.0.1`,
    );
}

/** What to do is said of --listen, which is not what was asked for here. */
function ofAdmin(error: unknown): unknown {
  if (!(error instanceof WellknownError) || error.hint === undefined) return error;
  const { code, message, fault, hint, cause } = error;
  return new WellknownError(code, message, {
    fault,
    hint: hint.replace('--listen or --port-offset', '--admin'),
    cause,
  });
}

/** Opens it where it was asked for, once `server` listens. Its code is only loaded then. */
export async function openProgramAdmin(
  server: Server,
  settings: AdminSettings,
  log: Logger,
  isSuccessor: boolean,
): Promise<AdminListener | undefined> {
  const { admin } = settings;
  if (admin === undefined) return undefined;
  const { openAdmin } = await import('../admin/server.ts');
  const token = readAdminToken(settings, process.env);
  try {
    return await openAdmin(server, { endpoint: admin, token, log, clock: systemClock, isSuccessor });
  } catch (error) {
    throw ofAdmin(error);
  }
}

// AUTH, PBSZ and PROT (RFC 2228 §3, RFC 4217).

import type { Outcome } from '../effects.ts';
import { REPLY, reply } from '../replies.ts';
import { hostOfHandshake, initialState, type ProtectionLevel, type SessionState } from '../session-state.ts';
import type { Call } from './command-spec.ts';

/**
 * What AUTH may name, and what it means for data connections until PROT is said. `TLS` and its synonym `TLS-C` (RFC 4217
 * §17) leave them in clear; `SSL` and `TLS-P` are of drafts before it, whose clients know no PROT.
 */
const MECHANISMS: Readonly<Record<string, ProtectionLevel>> = {
  TLS: 'clear',
  'TLS-C': 'clear',
  SSL: 'private',
  'TLS-P': 'private',
};

/**
 * Whoever was logged in is not any more: what was said in clear may have been another's (RFC 4217 §4). HOST comes before
 * the handshake (RFC 7151 §3.2.2) and holds behind it, unless the handshake itself has named another of our hosts: that
 * nobody on the way has put in.
 */
export function auth({ state, argument, session }: Call<SessionState>): Outcome {
  const mechanism = argument.trim().toUpperCase();
  if (!Object.hasOwn(MECHANISMS, mechanism)) return { state, reply: REPLY.unknownMechanism };
  if (state.protection.control === 'private') return { state, reply: REPLY.alreadySecure };
  const failedLogins = state.at === 'ready' ? 0 : state.failedLogins;
  const { host } = state;
  const data = MECHANISMS[mechanism] ?? 'clear';
  return {
    state: { ...initialState('clear'), failedLogins, host },
    reply: reply(234, `AUTH ${mechanism}: begin the handshake.`),
    effect: {
      type: 'startTls',
      resume(serverName) {
        const named = hostOfHandshake(serverName, session);
        const protection = { control: 'private', hasBufferSize: false, data, host: named } as const;
        return { state: { ...initialState('clear'), failedLogins, protection, host: named ?? host } };
      },
    },
  };
}

/** The buffer size of TLS is always 0, whatever the client asks for (RFC 4217 §9). */
export function pbsz({ state, argument }: Call<SessionState>): Outcome {
  const { protection } = state;
  if (protection.control === 'clear') return { state, reply: REPLY.needsAuth };
  if (!/^\d{1,10}$/.test(argument.trim())) return { state, reply: REPLY.badArgument };
  return { state: { ...state, protection: { ...protection, hasBufferSize: true } }, reply: reply(200, 'PBSZ=0') };
}

export function prot({ state, argument, session }: Call<SessionState>): Outcome {
  const { protection } = state;
  if (protection.control === 'clear') return { state, reply: REPLY.needsAuth };
  if (!protection.hasBufferSize) return { state, reply: reply(503, 'PBSZ comes first.') };
  const set = (data: ProtectionLevel, text: string): Outcome => ({
    state: { ...state, protection: { ...protection, data } },
    reply: reply(200, text),
  });
  switch (argument.trim().toUpperCase()) {
    case 'P':
      return set('private', 'Data connections are private.');
    case 'C':
      if (session.requireTls === 'data') return { state, reply: reply(534, 'Data connections must be private here.') };
      return set('clear', 'Data connections are in clear.');
    case 'S':
    case 'E':
      return { state, reply: reply(536, 'TLS knows PROT C and PROT P only.') };
    default:
      return { state, reply: REPLY.parameterNotImplemented };
  }
}

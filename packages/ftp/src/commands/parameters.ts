// The transfer parameters (RFC 959 §4.1.2, RFC 2428, RFC 3659 §5). They change the state; no connection is opened here
// except the listener that PASV and EPSV ask for.

import { normalizeIp } from '@wellknown/core/endpoint';
import { type Address } from '@wellknown/core';
import { parseEprtArgument, parsePortArgument, type HostPort } from '../host-port.ts';
import { extendedPassiveReply, passiveReply, REPLY, reply, type Reply } from '../replies.ts';
import type { Call } from './command-spec.ts';
import type { Outcome, PassiveEndpoint } from '../effects.ts';
import type { Ready } from '../session-state.ts';

/** TYPE: `A` with or without `N`, `I`, and `L 8`, which is the same as `I` on machines with eight bits in a byte. */
export function type({ state, argument }: Call<Ready>): Outcome {
  const code = argument.trim().toUpperCase();
  if (/^A(?: +N)?$/.test(code)) return { state: { ...state, type: 'ascii' }, reply: reply(200, 'Type is ASCII.') };
  if (/^(?:I|L *8)$/.test(code)) return { state: { ...state, type: 'image' }, reply: reply(200, 'Type is image.') };
  return { state, reply: REPLY.parameterNotImplemented };
}

const onlyCode =
  (wanted: string) =>
  ({ state, argument }: Call<Ready>): Outcome => {
    const code = argument.trim().toUpperCase();
    if (code === wanted) return { state, reply: REPLY.commandOkay };
    return { state, reply: /^[A-Z]$/.test(code) ? REPLY.parameterNotImplemented : REPLY.badArgument };
  };

/**
 * STRU: F, and R as well: a system whose files have no records may take it and store and send the bytes as they are
 * (RFC 1123 §4.1.2.13).
 */
export function stru({ state, argument }: Call<Ready>): Outcome {
  const code = argument.trim().toUpperCase();
  if (code === 'F') return { state: { ...state, structure: 'file' }, reply: reply(200, 'Structure is file.') };
  if (code === 'R') return { state: { ...state, structure: 'record' }, reply: reply(200, 'Structure is record.') };
  return { state, reply: /^[A-Z]$/.test(code) ? REPLY.parameterNotImplemented : REPLY.badArgument };
}
/** MODE: stream. */
export const mode = onlyCode('S');

// Ports below belong to services; a server that connects there can be used to attack them (RFC 2577 §3).
const MIN_ACTIVE_PORT = 1024;

function active({ state, session }: Call<Ready>, to: HostPort | undefined): Outcome {
  if (to === undefined) return { state, reply: REPLY.badArgument };
  // The bounce attack: only the client itself may be the target.
  if (session.remote.family === 'unix' || normalizeIp(to.address) !== session.remote.address) {
    return { state, reply: reply(501, 'The address is not the one you come from.') };
  }
  if (to.port < MIN_ACTIVE_PORT) return { state, reply: reply(501, `The port must be ${MIN_ACTIVE_PORT} or above.`) };
  return { state: { ...state, data: { how: 'active', to } }, reply: REPLY.commandOkay };
}

export function port(call: Call<Ready>): Outcome {
  const { state, argument, session } = call;
  if (state.onlyExtendedPassive) return { state, reply: REPLY.onlyExtendedPassive };
  if (!session.mayUseActive) return { state, reply: REPLY.notImplemented };
  return active(call, parsePortArgument(argument));
}

export function eprt(call: Call<Ready>): Outcome {
  const { state, argument, session } = call;
  if (state.onlyExtendedPassive) return { state, reply: REPLY.onlyExtendedPassive };
  if (!session.mayUseActive) return { state, reply: REPLY.notImplemented };
  const to = parseEprtArgument(argument);
  if (to === 'family' || (to !== undefined && to.family !== session.remote.family))
    return { state, reply: wrongFamily(session.local) };
  return active(call, to);
}

/**
 * 522 names the one protocol that can work (RFC 2428 §2): a data connection uses the family of its control connection.
 */
const wrongFamily = (local: Address) =>
  reply(522, `Network protocol not supported, use (${local.family === 'ipv6' ? 2 : 1})`);

export function pasv({ state }: Call<Ready>): Outcome {
  if (state.onlyExtendedPassive) return { state, reply: REPLY.onlyExtendedPassive };
  return listen(state, 'address', ({ address, port: number }) => passiveReply(address, number));
}

export function epsv({ state, argument, session }: Call<Ready>): Outcome {
  const wanted = argument.trim().toUpperCase();
  if (wanted === 'ALL')
    return { state: { ...state, onlyExtendedPassive: true }, reply: reply(200, 'EPSV ALL is in force.') };
  if (wanted !== '' && wanted !== (session.local.family === 'ipv6' ? '2' : '1')) {
    return { state, reply: /^\d+$/.test(wanted) ? wrongFamily(session.local) : REPLY.badArgument };
  }
  return listen(state, 'port', ({ port: number }) => extendedPassiveReply(number));
}

function listen(state: Ready, names: 'address' | 'port', entering: (passive: PassiveEndpoint) => Reply): Outcome {
  const without: Ready = { ...state, data: { how: 'none' } };
  return {
    state: without,
    effect: {
      type: 'listen',
      names,
      resume(passive) {
        if (passive === 'no-port') return { state: without, reply: REPLY.noPassivePort };
        if (passive === 'no-address') return { state: without, reply: REPLY.passiveNeedsIpv4 };
        return { state: { ...state, data: { how: 'passive' } }, reply: entering(passive) };
      },
    },
  };
}

/**
 * REST: a byte position for the next transfer. In TYPE A positions mean nothing, but 0 is harmless and some cameras
 * send it.
 */
export function rest({ state, argument, session }: Call<Ready>): Outcome {
  const text = argument.trim();
  const restartBytes = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(restartBytes)) return { state, reply: REPLY.badArgument };
  if (restartBytes > 0 && state.type === 'ascii' && session.ascii === 'convert')
    return { state, reply: REPLY.badRestart };
  return { state: { ...state, restartBytes }, reply: reply(350, `Restarting at ${restartBytes}.`) };
}

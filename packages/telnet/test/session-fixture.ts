// A session over memory: the test is the client.

import { serveInMemory, type MemoryConnection, type MemoryConnectionOptions } from '@wellknown/core/testing';
import type { TelnetHandler } from '../src/connection.ts';
import type { TelnetSettings } from '../src/settings.ts';
import { telnetProtocol } from '../src/protocol.ts';
import type { TelnetSession } from '../src/session.ts';

/** Lets every promise that can settle without time or input do so. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface Client extends MemoryConnection {
  /** Sends bytes, lets the session react, and returns what it said, as latin1. */
  say(data: string | Uint8Array): Promise<string>;
  /** What the session has said since. */
  received(): Promise<string>;
}

/** IAC and the bytes after it, as latin1. */
export const iac = (...bytes: readonly number[]): string => String.fromCharCode(255, ...bytes);
export const sb = (option: number, ...payload: readonly number[]): string =>
  `${iac(250, option)}${String.fromCharCode(...payload)}${iac(240)}`;

export const DO_TTYPE = iac(253, 24);
export const DO_NAWS = iac(253, 31);
export const WILL_ECHO = iac(251, 1);
export const WONT_ECHO = iac(252, 1);
export const DO_ECHO = iac(253, 1);
export const DONT_ECHO = iac(254, 1);
export const DM = iac(242);
export const AYT = iac(246);
export const IP = iac(244);
export const AO = iac(245);

/** A client that has just connected. What the session said at first is still to be received. */
export function connect(
  handler: TelnetHandler,
  options: Partial<TelnetSettings> & { readonly memory?: MemoryConnectionOptions } = {},
): Client {
  const { memory = {}, ...limits } = options;
  const served = serveInMemory(telnetProtocol(handler, limits), memory);
  const received = async (): Promise<string> => {
    await settle();
    return served.peer.take();
  };
  return {
    connection: served.connection,
    peer: served.peer,
    clock: served.clock,
    get closeReason() {
      return served.closeReason;
    },
    received,
    say: (data) => {
      served.peer.send(data);
      return received();
    },
  };
}

/** The same, with the opening received and not answered, as a raw TCP client does. */
export async function connectRaw(handler: TelnetHandler, options: Parameters<typeof connect>[1] = {}): Promise<Client> {
  const client = connect(handler, options);
  await client.received();
  client.clock.advance(150);
  return client;
}

/** Says every line back between angle brackets. */
export const parrot: TelnetHandler = async (session) => {
  for await (const line of session.lines()) await session.print(`<${line}>`);
};

/** Hands its session out and lasts until `finish`. */
export function held(): { handler: TelnetHandler; session: () => TelnetSession; finish: () => void } {
  let session: TelnetSession | undefined;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  return {
    handler: async (given) => {
      session = given;
      await finished;
    },
    session: () => {
      if (session === undefined) throw new Error('no client has connected');
      return session;
    },
    finish: () => finish(),
  };
}

/** The text as bytes, one for each character. */
export const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

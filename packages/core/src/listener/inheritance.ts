// Listening sockets from before: a predecessor's on upgrade, or systemd's (sd_listen_fds(3)). Pure but for its input,
// the environment, which is passed in; descriptors are numbers until they are adopted.

import { formatEndpoint, type Endpoint } from '../address/endpoint.ts';

/** By which a successor learns what it inherits. */
export const INHERIT_VARIABLE = 'WELLKNOWN_INHERIT';

/** Whether the process of this environment takes over from another one. Until it has adopted the sockets. */
export const isSuccessor = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  environment[INHERIT_VARIABLE] !== undefined;

export interface InheritedSocket {
  readonly descriptor: number;
  /**
   * The endpoint as the predecessor was asked for it, or the target under which it was passed a socket: `systemd:NAME`,
   * `fd://N`.
   */
  readonly asked: string;
  readonly slot?: number;
  /** Where it really is bound. */
  readonly bound: string;
}

interface Message {
  /** The descriptor to write one byte to once ready. */
  readonly readyDescriptor: number;
  readonly sockets: readonly InheritedSocket[];
}

/** What a successor is told in its environment. */
export const encodeInheritance = (message: Message): string => JSON.stringify(message);

export interface Inheritance {
  readonly readyDescriptor: number | undefined;
  /**
   * The slots of what there is for an endpoint: undefined for a socket that all workers share. TCP and TLS are one
   * protocol to the kernel, and one endpoint here.
   */
  slotsOf(asked: Endpoint): readonly (number | undefined)[];
  /** The descriptor for an endpoint and slot, given out once. */
  take(asked: Endpoint, slot: number | undefined): number | undefined;
  /** The descriptors of a target that the predecessor was passed: its own numbers mean nothing here. */
  takePassed(target: string): readonly number[];
  /** Descriptors that were not asked for: the configuration has changed. */
  rest(): readonly number[];
}

/** Reads the environment of a successor. Anything unreadable means that nothing is inherited. */
export function readInheritance(environment: Readonly<Record<string, string | undefined>>): Inheritance {
  const message = parse(environment[INHERIT_VARIABLE]);
  const left = [...(message?.sockets ?? [])];
  const isOf =
    (asked: Endpoint) =>
    (socket: InheritedSocket): boolean =>
      addressKey(socket.asked) === addressKey(formatEndpoint(asked));
  return {
    readyDescriptor: message?.readyDescriptor,
    slotsOf: (asked) => left.filter(isOf(asked)).map(({ slot }) => slot),
    take(asked, slot) {
      const index = left.findIndex((socket) => isOf(asked)(socket) && socket.slot === slot);
      return index < 0 ? undefined : left.splice(index, 1)[0]?.descriptor;
    },
    takePassed(target) {
      const taken = left.filter(({ asked }) => asked === target);
      for (const socket of taken) left.splice(left.indexOf(socket), 1);
      return taken.map(({ descriptor }) => descriptor);
    },
    rest: () => left.map((socket) => socket.descriptor),
  };
}

/** What a text for an endpoint means to the kernel: what is read from its connections is not its matter. */
export const addressKey = (text: string): string => text.replace(/^tls:/, 'tcp:');

function parse(text: string | undefined): Message | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (
      typeof value !== 'object' ||
      value === null ||
      !('readyDescriptor' in value) ||
      !('sockets' in value) ||
      !Array.isArray(value.sockets)
    )
      return undefined;
    return value as Message;
  } catch {
    return undefined;
  }
}

/** The sockets that systemd passes to this process, by name. Names may repeat; unnamed ones are called `unknown`. */
export function systemdSockets(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): { readonly descriptor: number; readonly name: string }[] {
  if (Number(environment.LISTEN_PID) !== pid) return [];
  const count = Number(environment.LISTEN_FDS);
  if (!Number.isInteger(count) || count < 1 || count > 1024) return [];
  const names = environment.LISTEN_FDNAMES?.split(':') ?? [];
  // sd_listen_fds(3): the first one is 3.
  return Array.from({ length: count }, (_, index) => ({ descriptor: 3 + index, name: names[index] ?? 'unknown' }));
}

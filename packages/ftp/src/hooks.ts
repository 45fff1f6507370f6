// What a program is told of what happens, and where it may refuse.
//
// How they are called. `command` is asked before a command is carried out; `login` after the password was right and
// before 230; `upload` after the file was stored and before 226. These three may refuse: what they return is said to
// the client instead. The others are told afterwards, and only of what succeeded, but for `download` and `upload`, which
// hear of every transfer that was begun. The session waits for `command`, `login` and `upload`; it does not wait for the
// others. A hook that throws or rejects is logged; where it may refuse, that refuses with 451.

import type { Connection, Logger } from '@wellknown/core';
import type { FileProblem } from './file-system.ts';
import type { AbsolutePath } from './path.ts';

/** The session that an event belongs to. The same object for all events of one session. */
export interface HookSession {
  /** Unique in this process. */
  readonly id: number;
  /** Undefined before the login. */
  readonly user: string | undefined;
  readonly remoteAddress: string;
  /** Whether the control connection is TLS. */
  readonly secure: boolean;
}

export interface LoginEvent {
  readonly session: HookSession;
  readonly user: string;
  readonly anonymous: boolean;
}

/** A transfer that is over, whole or not. */
export interface TransferEvent {
  readonly session: HookSession;
  readonly user: string;
  readonly remoteAddress: string;
  readonly path: AbsolutePath;
  /** Payload bytes that travelled, without those that REST has skipped. */
  readonly bytes: number;
  readonly startBytes: number;
  readonly ms: number;
  /** Everything has arrived, and an upload is stored: only then was 226 sent, or will be. */
  readonly complete: boolean;
  /** The client gave it up: ABOR, or its connections ended. */
  readonly aborted: boolean;
  /** Whether the data connection was TLS. */
  readonly secure: boolean;
  /** Why it is not complete. */
  readonly error: FileProblem | 'no-connection' | 'connection-lost' | undefined;
}

export interface UploadEvent extends TransferEvent {
  /** `store`: STOR. `append`: APPE. `unique`: STOU. */
  readonly how: 'store' | 'append' | 'unique';
}

export interface ListEvent {
  readonly session: HookSession;
  readonly path: AbsolutePath;
  readonly entries: number;
}

export interface PathEvent {
  readonly session: HookSession;
  readonly path: AbsolutePath;
}

export interface DeleteEvent extends PathEvent {
  readonly type: 'file' | 'directory';
}

export interface RenameEvent {
  readonly session: HookSession;
  readonly from: AbsolutePath;
  readonly to: AbsolutePath;
}

export interface CommandEvent {
  readonly session: HookSession;
  /** In upper case. */
  readonly verb: string;
  /** As sent; of PASS and ACCT it is empty. */
  readonly argument: string;
}

export interface DisconnectEvent {
  readonly session: HookSession;
  readonly reason: string;
  readonly ms: number;
}

/** A hook's no. `text` is said to the client, in one line. */
export interface Refusal {
  readonly refuse: string;
  /** By default 530 for `login` and 550 for the others. */
  readonly code?: number;
  /**
   * Of a refused upload what was stored is removed, unless this is true. What was continued by APPE or REST is never
   * removed.
   */
  readonly keep?: boolean;
}

/** A hook that may refuse: what it returns, if anything, is said to the client. */
export type AskedHook<Event> =
  | ((event: Event) => Refusal | undefined)
  | ((event: Event) => Promise<Refusal | undefined>)
  | ((event: Event) => void)
  | ((event: Event) => Promise<void>);

export interface FtpHooks {
  readonly login?: AskedHook<LoginEvent>;
  readonly upload?: AskedHook<UploadEvent>;
  readonly command?: AskedHook<CommandEvent>;
  readonly download?: (event: TransferEvent) => unknown;
  readonly delete?: (event: DeleteEvent) => unknown;
  readonly rename?: (event: RenameEvent) => unknown;
  readonly mkdir?: (event: PathEvent) => unknown;
  readonly list?: (event: ListEvent) => unknown;
  readonly disconnect?: (event: DisconnectEvent) => unknown;
}

const BROKEN_HOOK: Refusal = { refuse: 'A local error occurred.', code: 451 };

/** Asks a hook that may refuse. Never rejects. */
export async function askHook<Event>(
  hook: AskedHook<Event> | undefined,
  event: Event,
  log: Logger,
): Promise<Refusal | undefined> {
  if (hook === undefined) return undefined;
  try {
    return (await hook(event)) ?? undefined;
  } catch (error) {
    log.error({ err: error }, 'a hook failed');
    return BROKEN_HOOK;
  }
}

/** Tells a hook; what it throws or rejects with is logged. */
export function tellHook<Event>(hook: ((event: Event) => unknown) | undefined, event: Event, log: Logger): void {
  if (hook === undefined) return;
  const failed = (error: unknown): void => log.error({ err: error }, 'a hook failed');
  try {
    Promise.resolve(hook(event)).catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** The client's address; empty where it has none. */
export const remoteAddressOf = ({ remote }: Connection): string => (remote.family === 'unix' ? '' : remote.address);

/** Only for a session that has hooks: an object with getters of its own is dear. */
export const hookSessionOf = (connection: Connection, userOf: () => string | undefined): HookSession => ({
  id: connection.id,
  remoteAddress: remoteAddressOf(connection),
  get user() {
    return userOf();
  },
  get secure() {
    return connection.secure !== undefined;
  },
});

// What a session waits for: logins, pauses, ports, files, handshakes and transfers. One is under way at a time.

import type { AddressBans, Clock, Connection, Logger, Timer } from '@wellknown/core';
import { count } from './counters.ts';
import type { DataChannel, DataChannels, PassiveChannel } from './data-channel.ts';
import { runChange, runHash, runList, runSpace, runStat } from './effect-runner.ts';
import type { Effect, FileChange, Outcome, PassiveEndpoint, PassiveFailure } from './effects.ts';
import type { FileSystem } from './file-system.ts';
import type { PassiveAddress } from './passive-address.ts';
import { askHook, tellHook, type FtpHooks, type HookSession } from './hooks.ts';
import { REPLY, reply, type Reply } from './replies.ts';
import type { UserSessions } from './user-sessions.ts';
import type { Charset } from './charset.ts';
import type { CommandAnswer, DataPlan } from './session-state.ts';
import { SessionTransfers, type TransferUser } from './session-transfers.ts';
import type { Transfer } from './transfer.ts';
import type { TransferReport } from './transfer-report.ts';
import { openLogin, type Authenticate, type Login } from './users/login.ts';

type PendingEffect = Exclude<Effect, { readonly type: 'close' }>;
type AuthenticateEffect = Extract<Effect, { readonly type: 'authenticate' }>;
type HashEffect = Extract<Effect, { readonly type: 'hash' }>;
type ChangeEffect = Extract<Effect, { readonly type: 'change' }>;

export interface PerformerOptions {
  readonly connection: Connection;
  readonly channels: DataChannels;
  readonly authenticate: Authenticate;
  readonly passiveAddress: PassiveAddress;
  /** For users who have none of their own. */
  readonly fileSystem: FileSystem;
  readonly hooks: FtpHooks;
  readonly hookSession: HookSession;
  readonly userSessions: UserSessions;
  readonly charset: Charset;
  readonly bans: AddressBans;
  readonly counters: Record<string, number>;
  readonly log: Logger;
  readonly clock: Clock;
  /** Bytes of the peer that were not decoded or not answered yet. */
  readonly unreadBytes: () => number;
  /** A transfer has its file; the rest goes on without the session. */
  readonly send: (reply: Reply) => void;
  readonly transferChanged: () => void;
  readonly reported: (report: TransferReport) => void;
}

/** What became of an effect: a decision, or the last word of a transfer. */
export type Performed =
  { readonly type: 'outcome'; readonly outcome: Outcome } | { readonly type: 'reply'; readonly reply: Reply };

export class EffectPerformer {
  readonly #options: PerformerOptions;
  readonly #transfers: SessionTransfers;
  /** Who is logged in, or was when the last transfer began. */
  #user: TransferUser | undefined;
  /** The listener of the last PASV or EPSV, until a transfer takes it over. */
  #passive: PassiveChannel | undefined;
  #delay: Timer | undefined;
  /** The session is over. */
  #isOver = false;
  /** Of a checksum that is being counted: aborted with the session. */
  #counting: AbortController | undefined;

  constructor(options: PerformerOptions) {
    this.#options = options;
    this.#transfers = new SessionTransfers({ ...options, changed: options.transferChanged });
  }

  /** The transfer under way. */
  get transfer(): Transfer | undefined {
    return this.#transfers.current;
  }

  /** The session has no user any more; a transfer goes on nevertheless. */
  loggedOut(): void {
    this.#user?.session.leave();
    this.#user = undefined;
  }

  dropPassive(): void {
    this.#passive?.close();
    this.#passive = undefined;
  }

  /** Lets go of everything. */
  release(): void {
    this.#isOver = true;
    this.#counting?.abort();
    this.#delay?.cancel();
    this.transfer?.abort();
    this.dropPassive();
    this.loggedOut();
  }

  /** A transfer takes the listener along; to be called before the next state drops it. */
  takeChannel(data: DataPlan): DataChannel | undefined {
    if (data.how === 'active') return this.#options.channels.connect(data.to);
    const taken = this.#passive;
    this.#passive = undefined;
    return taken;
  }

  /** `login` is there for all effects that only a user can have. Rejects only where the connection is of no use. */
  async perform(effect: PendingEffect, login: Login | undefined, channel: DataChannel | undefined): Promise<Performed> {
    const { connection, log, clock } = this.#options;
    const failed = (error: unknown): void =>
      log.error({ err: error, connection: connection.id }, 'a file system call failed');
    const files = (): Login['fileSystem'] => loginOf(login).fileSystem;
    const decided = (outcome: Outcome): Performed => ({ type: 'outcome', outcome });
    switch (effect.type) {
      case 'authenticate':
        return decided(await this.#authenticate(effect));
      case 'startTls':
        return decided(effect.resume(await this.#startTls()));
      case 'delay':
        await new Promise<void>((resolve) => (this.#delay = clock.after(effect.delayMs, resolve)));
        return decided(effect.resume());
      case 'listen':
        return decided(effect.resume(await this.#listen(effect.names)));
      case 'stat':
        return decided(effect.resume(await runStat(files(), effect, failed)));
      case 'hash':
        return decided(effect.resume(await this.#count(files(), effect, failed)));
      case 'space':
        return decided(effect.resume(await runSpace(files(), effect.path, failed)));
      case 'ask':
        return decided(effect.resume(await this.#ask(effect.ask)));
      case 'change':
        return decided(await this.#change(effect, files(), failed));
      case 'list':
        return decided(effect.resume(await runList(files(), effect.request, failed)));
      case 'transfer':
        if (this.#user === undefined) throw new Error('a transfer without a login');
        return { type: 'reply', reply: await this.#transfers.run(effect, this.#user, channel) };
    }
  }

  async #count(files: FileSystem, effect: HashEffect, failed: (error: unknown) => void): ReturnType<typeof runHash> {
    this.#counting = new AbortController();
    try {
      return await runHash(files, { ...effect, signal: this.#counting.signal }, failed);
    } finally {
      this.#counting = undefined;
    }
  }

  async #ask(ask: () => CommandAnswer | Promise<CommandAnswer>): Promise<CommandAnswer | undefined> {
    try {
      return await ask();
    } catch (error) {
      this.#options.log.error({ err: error, connection: this.#options.connection.id }, 'a SITE command failed');
      return undefined;
    }
  }

  async #change(
    { change, resume }: ChangeEffect,
    files: FileSystem,
    failed: (error: unknown) => void,
  ): Promise<Outcome> {
    const done = await runChange(files, change, failed);
    if (done.ok) this.#tell(change);
    return resume(done);
  }

  #tell(change: FileChange): void {
    const { hooks, hookSession: session, log } = this.#options;
    switch (change.change) {
      case 'removeFile':
      case 'removeDirectory': {
        const type = change.change === 'removeFile' ? 'file' : 'directory';
        tellHook(hooks.delete, { session, path: change.path, type }, log);
        return;
      }
      case 'makeDirectory':
        tellHook(hooks.mkdir, { session, path: change.path }, log);
        return;
      case 'rename':
        tellHook(hooks.rename, { session, from: change.from, to: change.to }, log);
        return;
      case 'setTimes':
      case 'setMode':
    }
  }

  async #authenticate({ user, password, host, resume }: AuthenticateEffect): Promise<Outcome> {
    const { authenticate, connection, log, fileSystem, bans, counters } = this.#options;
    const { remote } = connection;
    const secure = connection.secure !== undefined;
    try {
      const grant = await authenticate({ user, password, remote, secure, host });
      if (grant === 'busy') {
        log.warn({ user, connection: connection.id, remote }, 'a login was turned away: too many at the same time');
        return resume(undefined, REPLY.loginsBusy);
      }
      log.info({ user, connection: connection.id, remote, secure, accepted: grant !== undefined }, 'login');
      if (grant === undefined) {
        bans.offend(remote);
        count(counters, 'failed-logins');
        return resume(undefined);
      }
      const login = openLogin(grant, { user, remote, secure }, fileSystem);
      const refusal = await this.#enter(login, grant.fileSystem ?? fileSystem);
      if (refusal !== undefined) return resume(undefined, refusal);
      count(counters, 'logins');
      return resume(login);
    } catch (error) {
      log.error({ err: error, user, connection: connection.id }, 'the authenticator failed');
      return resume(undefined);
    }
  }

  /** Takes a place among the sessions of the user; the reply that refuses it. */
  async #enter(login: Login, storage: FileSystem): Promise<Reply | undefined> {
    const { hooks, hookSession, log, userSessions } = this.#options;
    this.loggedOut();
    const refusal = await askHook(
      hooks.login,
      { session: hookSession, user: login.user, anonymous: login.isAnonymous },
      log,
    );
    if (refusal !== undefined) return reply(refusal.code ?? 530, refusal.refuse);
    const session = await userSessions.enter(login);
    if (session === undefined) return REPLY.tooManySessions;
    // The connection may have closed in the meantime.
    if (this.#isOver) {
      session.leave();
      return REPLY.serviceClosing;
    }
    this.#user = { login, session, storage };
    return undefined;
  }

  /** Resolves with the name of the server that the client has asked for. */
  async #startTls(): Promise<string | undefined> {
    const { connection, log, unreadBytes } = this.#options;
    const secure = await connection.startTls({ unreadBytes: unreadBytes() });
    log.info(
      { connection: connection.id, remote: connection.remote, tls: secure.protocol, cipher: secure.cipher },
      'the control connection is private',
    );
    return secure.serverName;
  }

  async #listen(names: 'address' | 'port'): Promise<PassiveEndpoint | PassiveFailure> {
    const { channels, passiveAddress, connection } = this.#options;
    this.dropPassive();
    const address = names === 'port' ? '' : await passiveAddress(connection);
    if (address === undefined) return 'no-address';
    const channel = await channels.listen();
    // The connection may have closed in the meantime.
    if (this.#isOver) channel?.close();
    else this.#passive = channel;
    return channel === undefined ? 'no-port' : { address, port: channel.port };
  }
}

function loginOf(login: Login | undefined): Login {
  // Only rows that need a login ask for files; the table's rule makes sure of it.
  if (login === undefined) throw new Error('a file effect without a login');
  return login;
}

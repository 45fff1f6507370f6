// What a session waits for: logins, pauses, ports, files, handshakes and transfers. One is under way at a time.

import type { Timer } from '@wellknown/core';
import { count } from './counters.ts';
import { createDataChannels, type DataChannel, type DataChannels, type PassiveChannel } from './data-channel.ts';
import { reportTo, runChange, runHash, runList, runSpace, runStat } from './effect-runner.ts';
import type { Effect, FileChange, Outcome, PassiveEndpoint, PassiveFailure } from './effects.ts';
import type { FileSystem } from './file-system.ts';
import { askHook, tellHook } from './hooks.ts';
import { REPLY, reply, type Reply } from './replies.ts';
import type { CommandAnswer, DataPlan } from './session-state.ts';
import { SessionTransfers, type TransfersHost, type TransferUser } from './session-transfers.ts';
import type { Transfer } from './transfer.ts';
import { openLogin, type Login } from './users/login.ts';

type PendingEffect = Exclude<Effect, { readonly type: 'close' }>;
type AuthenticateEffect = Extract<Effect, { readonly type: 'authenticate' }>;
type HashEffect = Extract<Effect, { readonly type: 'hash' }>;
type ChangeEffect = Extract<Effect, { readonly type: 'change' }>;

/** The session that waits. */
export interface PerformerHost extends TransfersHost {
  /** Bytes of the peer that were not decoded or not answered yet. */
  readonly unreadBytes: number;
}

/** What became of an effect: a decision, or the last word of a transfer. */
export type Performed =
  { readonly type: 'outcome'; readonly outcome: Outcome } | { readonly type: 'reply'; readonly reply: Reply };

export class EffectPerformer {
  readonly #host: PerformerHost;
  /** Made with the first transfer or the first port. */
  #transfers: SessionTransfers | undefined;
  #channels: DataChannels | undefined;
  /** Who is logged in, or was when the last transfer began. */
  #user: TransferUser | undefined;
  /** The listener of the last PASV or EPSV, until a transfer takes it over. */
  #passive: PassiveChannel | undefined;
  #delay: Timer | undefined;
  /** The session is over. */
  #isOver = false;
  /** Of a checksum that is being counted: aborted with the session. */
  #counting: AbortController | undefined;

  constructor(host: PerformerHost) {
    this.#host = host;
  }

  /** The transfer under way. */
  get transfer(): Transfer | undefined {
    return this.#transfers?.current;
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
    if (data.how === 'active') return this.#dataChannels.connect(data.to);
    const taken = this.#passive;
    this.#passive = undefined;
    return taken;
  }

  get #dataChannels(): DataChannels {
    const { connection, options } = this.#host;
    return (this.#channels ??= createDataChannels(connection, options.secondary, options.data));
  }

  /** `login` is there for all effects that only a user can have. Rejects only where the connection is of no use. */
  async perform(effect: PendingEffect, login: Login | undefined, channel: DataChannel | undefined): Promise<Performed> {
    const { connection, options } = this.#host;
    const failed = reportTo(options.log, connection.id);
    const files = (): Login['fileSystem'] => loginOf(login).fileSystem;
    const decided = (outcome: Outcome): Performed => ({ type: 'outcome', outcome });
    switch (effect.type) {
      case 'authenticate':
        return decided(await this.#authenticate(effect));
      case 'startTls':
        return decided(effect.resume(await this.#startTls()));
      case 'delay':
        await new Promise<void>((resolve) => (this.#delay = options.clock.after(effect.delayMs, resolve)));
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
        this.#transfers ??= new SessionTransfers(this.#host);
        return { type: 'reply', reply: await this.#transfers.run(effect, this.#user, channel) };
    }
  }

  async #count(files: FileSystem, effect: HashEffect, failed: (error: unknown) => void): ReturnType<typeof runHash> {
    this.#counting = new AbortController();
    try {
      return await runHash(files, { ...effect, signal: this.#counting.signal }, failed);
    } finally {
      // One that did not answer in time may stop.
      this.#counting.abort();
      this.#counting = undefined;
    }
  }

  async #ask(ask: () => CommandAnswer | Promise<CommandAnswer>): Promise<CommandAnswer | undefined> {
    try {
      return await ask();
    } catch (error) {
      this.#host.options.log.error({ err: error, connection: this.#host.connection.id }, 'a SITE command failed');
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
    const { hooks, log } = this.#host.options;
    if (hooks.delete === undefined && hooks.mkdir === undefined && hooks.rename === undefined) return;
    const session = this.#host.hookSession;
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
    const { connection } = this.#host;
    const { authenticate, log, fileSystem, withDeadlines, bans, counters } = this.#host.options;
    const { remote } = connection;
    const secure = connection.secure !== undefined;
    try {
      const certificate = connection.secure?.clientCertificate;
      const grant = await authenticate({ user, password, remote, secure, host, certificate });
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
      const storage = withDeadlines(grant.fileSystem ?? fileSystem);
      const login = openLogin({ ...grant, fileSystem: storage }, { user, remote, secure }, fileSystem);
      const refusal = await this.#enter(login, storage);
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
    const { hooks, log, userSessions } = this.#host.options;
    this.loggedOut();
    if (hooks.login !== undefined) {
      const session = this.#host.hookSession;
      const refusal = await askHook(hooks.login, { session, user: login.user, anonymous: login.isAnonymous }, log);
      if (refusal !== undefined) return reply(refusal.code ?? 530, refusal.refuse);
    }
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
    const { connection, unreadBytes, options } = this.#host;
    const secure = await connection.startTls({ unreadBytes });
    options.log.info(
      { connection: connection.id, remote: connection.remote, tls: secure.protocol, cipher: secure.cipher },
      'the control connection is private',
    );
    return secure.serverName;
  }

  async #listen(names: 'address' | 'port'): Promise<PassiveEndpoint | PassiveFailure> {
    const { connection, options } = this.#host;
    this.dropPassive();
    const address = names === 'port' ? '' : await options.passiveAddress(connection);
    if (address === undefined) return 'no-address';
    const channel = await this.#dataChannels.listen();
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

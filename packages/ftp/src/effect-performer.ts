// What a session waits for: logins, pauses, ports, files, handshakes and transfers. One is under way at a time.

import type { Clock, Connection, Logger, Timer } from '@wellknown/core';
import type { DataChannel, DataChannels, PassiveChannel } from './data-channel.ts';
import { runChange, runList, runStat } from './effect-runner.ts';
import type { Effect, Outcome, PassiveEndpoint, PassiveFailure } from './effects.ts';
import type { FileSystem } from './file-system.ts';
import type { PassiveAddress } from './passive-address.ts';
import type { Reply } from './replies.ts';
import type { DataPlan } from './session-state.ts';
import { createTransfer, type Transfer } from './transfer.ts';
import type { TransferReport } from './transfer-report.ts';
import { openLogin, type Authenticate, type Login } from './users/login.ts';

type PendingEffect = Exclude<Effect, { readonly type: 'close' }>;
type TransferEffect = Extract<Effect, { readonly type: 'transfer' }>;

export interface PerformerOptions {
  readonly connection: Connection;
  readonly channels: DataChannels;
  readonly authenticate: Authenticate;
  readonly passiveAddress: PassiveAddress;
  /** For users who have none of their own. */
  readonly fileSystem: FileSystem;
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
  #transfer: Transfer | undefined;
  /** The listener of the last PASV or EPSV, until a transfer takes it over. */
  #passive: PassiveChannel | undefined;
  #delay: Timer | undefined;
  #isOver = false;

  constructor(options: PerformerOptions) {
    this.#options = options;
  }

  /** The transfer under way. */
  get transfer(): Transfer | undefined {
    return this.#transfer;
  }

  dropPassive(): void {
    this.#passive?.close();
    this.#passive = undefined;
  }

  /** Lets go of everything. */
  release(): void {
    this.#isOver = true;
    this.#delay?.cancel();
    this.#transfer?.abort();
    this.dropPassive();
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
        return decided(effect.resume(await this.#authenticate(effect.user, effect.password)));
      case 'startTls':
        await this.#startTls();
        return decided(effect.resume());
      case 'delay':
        await new Promise<void>((resolve) => (this.#delay = clock.after(effect.delayMs, resolve)));
        return decided(effect.resume());
      case 'listen':
        return decided(effect.resume(await this.#listen(effect.names)));
      case 'stat':
        return decided(effect.resume(await runStat(files(), effect.path, failed)));
      case 'change':
        return decided(effect.resume(await runChange(files(), effect.change, failed)));
      case 'list':
        return decided(effect.resume(await runList(files(), effect.request, failed)));
      case 'transfer':
        return { type: 'reply', reply: await this.#runTransfer(effect, loginOf(login), channel, failed) };
    }
  }

  async #authenticate(user: string, password: string): Promise<Login | undefined> {
    const { authenticate, connection, log, fileSystem } = this.#options;
    const { remote } = connection;
    const secure = connection.secure !== undefined;
    try {
      const grant = await authenticate({ user, password, remote, secure });
      log.info({ user, connection: connection.id, remote, secure, accepted: grant !== undefined }, 'login');
      return grant === undefined ? undefined : openLogin(grant, { user, remote, secure }, fileSystem);
    } catch (error) {
      log.error({ err: error, user, connection: connection.id }, 'the authenticator failed');
      return undefined;
    }
  }

  async #startTls(): Promise<void> {
    const { connection, log, unreadBytes } = this.#options;
    const secure = await connection.startTls({ unreadBytes: unreadBytes() });
    log.info(
      { connection: connection.id, remote: connection.remote, tls: secure.protocol, cipher: secure.cipher },
      'the control connection is private',
    );
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

  async #runTransfer(
    { plan, protection, opening, closing }: TransferEffect,
    login: Login,
    channel: DataChannel | undefined,
    failed: (error: unknown) => void,
  ): Promise<Reply> {
    if (channel === undefined) return closing({ at: 'no-connection' });
    const { clock, send, transferChanged, reported, connection } = this.#options;
    const transfer = createTransfer(plan, login.fileSystem, channel, protection, failed);
    this.#transfer = transfer;
    transferChanged();
    const startedMs = clock.nowMs();
    const end = await transfer.run((sizeBytes) => send(opening(sizeBytes)));
    this.#transfer = undefined;
    transferChanged();
    const { remote } = connection;
    reported({
      user: login.user,
      remoteAddress: remote.family === 'unix' ? '' : remote.address,
      direction: plan.what,
      path: plan.path,
      bytes: transfer.bytes,
      elapsedMs: clock.nowMs() - startedMs,
      isComplete: end.at === 'complete',
      isPrivate: protection === 'private',
    });
    return closing(end);
  }
}

function loginOf(login: Login | undefined): Login {
  // Only rows that need a login ask for files; the table's rule makes sure of it.
  if (login === undefined) throw new Error('a file effect without a login');
  return login;
}

// The transfers of one session: one at a time, each told to the hooks, to the log and to onTransfer when it is over.

import { fail, type Connection, type Logger } from '@wellknown/core';
import type { ControlOptions } from './control-options.ts';
import { countTransfer } from './counters.ts';
import type { DataChannel } from './data-channel.ts';
import type { Effect, TransferEnd } from './effects.ts';
import { reportTo } from './effect-runner.ts';
import type { FileSystem } from './file-system.ts';
import { askHook, tellHook, type HookSession, type TransferEvent, type UploadEvent } from './hooks.ts';
import { reply, type Reply } from './replies.ts';
import { createTransfer, type Transfer } from './transfer.ts';
import { errorOf, startBytesOf, type TransferReport } from './transfer-report.ts';
import type { UserSession } from './user-sessions.ts';
import type { Login } from './users/login.ts';

type TransferEffect = Extract<Effect, { readonly type: 'transfer' }>;

/** The session whose transfers they are. */
export interface TransfersHost {
  readonly connection: Connection;
  readonly options: ControlOptions;
  readonly hookSession: HookSession;
  /** Of the client; empty where it has none. */
  readonly remoteAddress: string;
  /** A transfer has its file; the rest goes on without the session. */
  send(reply: Reply): void;
  /** One has begun or ended. */
  transferChanged(): void;
}

/** Whose transfer it is. */
export interface TransferUser {
  readonly login: Login;
  readonly session: UserSession;
  /** What is below the rights: an upload that a hook refuses is removed, whether the user might or not. */
  readonly storage: FileSystem;
}

export class SessionTransfers {
  readonly #host: TransfersHost;
  #current: Transfer | undefined;

  constructor(host: TransfersHost) {
    this.#host = host;
  }

  get current(): Transfer | undefined {
    return this.#current;
  }

  /** Runs it to its end. Resolves with its last reply, and never rejects. */
  async run(effect: TransferEffect, user: TransferUser, channel: DataChannel | undefined): Promise<Reply> {
    const { plan, protection, opening, closing } = effect;
    if (channel === undefined) return closing({ at: 'no-connection' });
    const host = this.#host;
    const { clock, log, charset } = host.options;
    const pace = user.session.begin(plan.what === 'upload' ? 'upload' : 'download');
    const transfer = createTransfer(plan, {
      fileSystem: user.login.fileSystem,
      channel,
      protection,
      charset,
      pace,
      buffers: user.session.buffers,
      clock,
      failed: reportTo(log, host.connection.id),
    });
    this.#current = transfer;
    host.transferChanged();
    const startedMs = clock.nowMs();
    const end = await transfer.run((sizeBytes) => host.send(opening(sizeBytes)));
    pace.end();
    const elapsedMs = clock.nowMs() - startedMs;
    const refusal = await this.#tellHooks(effect, user, transfer, end, elapsedMs);
    this.#current = undefined;
    host.transferChanged();
    this.#report(effect, user, transfer, end.at === 'complete' && refusal === undefined, elapsedMs);
    return refusal ?? closing(end);
  }

  /** The words of an upload hook that refuses. */
  async #tellHooks(
    { plan, protection }: TransferEffect,
    { login, storage }: TransferUser,
    transfer: Transfer,
    end: TransferEnd,
    elapsedMs: number,
  ): Promise<Reply | undefined> {
    const { hooks, log } = this.#host.options;
    const hook = plan.what === 'listing' ? hooks.list : hooks[plan.what];
    if (hook === undefined) return undefined;
    const { hookSession: session, remoteAddress } = this.#host;
    const { path } = plan;
    const event: TransferEvent = {
      session,
      user: login.user,
      remoteAddress,
      path,
      bytes: transfer.tally.bytes,
      startBytes: startBytesOf(plan),
      ms: elapsedMs,
      complete: end.at === 'complete',
      aborted: end.at === 'aborted',
      secure: protection === 'private',
      error: errorOf(end),
    };
    if (plan.what === 'listing') {
      if (event.complete) tellHook(hooks.list, { session, path, entries: transfer.tally.entries }, log);
      return undefined;
    }
    if (plan.what === 'download') {
      tellHook(hooks.download, event, log);
      return undefined;
    }
    const refusal = await askHook(hooks.upload, { ...event, how: HOW[plan.options.mode] }, log);
    if (refusal === undefined || !event.complete) return undefined;
    const isContinued = plan.options.mode === 'append' || event.startBytes > 0;
    if (refusal.keep !== true && !isContinued) await remove(storage, path, log);
    return reply(refusal.code ?? 550, refusal.refuse);
  }

  #report(
    { plan, protection }: TransferEffect,
    { login }: TransferUser,
    transfer: Transfer,
    isComplete: boolean,
    elapsedMs: number,
  ): void {
    const { connection, options, remoteAddress } = this.#host;
    const report: TransferReport = {
      user: login.user,
      isAnonymous: login.isAnonymous,
      remoteAddress,
      direction: plan.what,
      path: plan.path,
      bytes: transfer.tally.bytes,
      elapsedMs,
      isComplete,
      isAscii: plan.what !== 'listing' && plan.ascii,
      isPrivate: protection === 'private',
    };
    countTransfer(options.counters, report);
    options.log.info({ ...report, connection: connection.id }, 'transfer');
    options.onTransfer?.(report);
  }
}

const HOW: Readonly<Record<'replace' | 'append' | 'create', UploadEvent['how']>> = {
  replace: 'store',
  append: 'append',
  create: 'unique',
};

async function remove(storage: FileSystem, path: string, log: Logger): Promise<void> {
  try {
    const removed = await (storage.removeFile?.(path) ?? fail('unsupported'));
    if (!removed.ok) log.warn({ path, problem: removed.error }, 'a refused upload could not be removed');
  } catch (error) {
    log.error({ err: error, path }, 'a refused upload could not be removed');
  }
}

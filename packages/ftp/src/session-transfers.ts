// The transfers of one session: one at a time, each told to the hooks, to the log and to onTransfer when it is over.

import type { Clock, Connection, Logger } from '@wellknown/core';
import type { Charset } from './charset.ts';
import type { DataChannel } from './data-channel.ts';
import type { Effect, TransferEnd } from './effects.ts';
import type { FileSystem } from './file-system.ts';
import { askHook, tellHook, type FtpHooks, type HookSession, type TransferEvent, type UploadEvent } from './hooks.ts';
import { reply, type Reply } from './replies.ts';
import { createTransfer, type Transfer } from './transfer.ts';
import { errorOf, startBytesOf, type TransferReport } from './transfer-report.ts';
import type { UserSession } from './user-sessions.ts';
import type { Login } from './users/login.ts';

type TransferEffect = Extract<Effect, { readonly type: 'transfer' }>;

export interface TransfersOptions {
  readonly connection: Connection;
  readonly hookSession: HookSession;
  readonly hooks: FtpHooks;
  readonly charset: Charset;
  readonly log: Logger;
  readonly clock: Clock;
  readonly send: (reply: Reply) => void;
  /** One has begun or ended. */
  readonly changed: () => void;
  readonly reported: (report: TransferReport) => void;
}

/** Whose transfer it is. */
export interface TransferUser {
  readonly login: Login;
  readonly session: UserSession;
  /** What is below the rights: an upload that a hook refuses is removed, whether the user might or not. */
  readonly storage: FileSystem;
}

export class SessionTransfers {
  readonly #options: TransfersOptions;
  #current: Transfer | undefined;

  constructor(options: TransfersOptions) {
    this.#options = options;
  }

  get current(): Transfer | undefined {
    return this.#current;
  }

  /** Runs it to its end. Resolves with its last reply, and never rejects. */
  async run(effect: TransferEffect, user: TransferUser, channel: DataChannel | undefined): Promise<Reply> {
    const { plan, protection, opening, closing } = effect;
    if (channel === undefined) return closing({ at: 'no-connection' });
    const { clock, send, changed, log, connection, charset } = this.#options;
    const pace = user.session.begin(plan.what === 'upload' ? 'upload' : 'download');
    const transfer = createTransfer(plan, {
      fileSystem: user.login.fileSystem,
      channel,
      protection,
      charset,
      pace,
      buffers: user.session.buffers,
      clock,
      failed: (error) => log.error({ err: error, connection: connection.id }, 'a file system call failed'),
    });
    this.#current = transfer;
    changed();
    const startedMs = clock.nowMs();
    const end = await transfer.run((sizeBytes) => send(opening(sizeBytes)));
    pace.end();
    const elapsedMs = clock.nowMs() - startedMs;
    const refusal = await this.#tellHooks(effect, user, transfer, end, elapsedMs);
    this.#current = undefined;
    changed();
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
    const { hooks, hookSession: session, log } = this.#options;
    const { path } = plan;
    const event: TransferEvent = {
      session,
      user: login.user,
      remoteAddress: session.remoteAddress,
      path,
      bytes: transfer.bytes,
      startBytes: startBytesOf(plan),
      ms: elapsedMs,
      complete: end.at === 'complete',
      aborted: end.at === 'aborted',
      secure: protection === 'private',
      error: errorOf(end),
    };
    if (plan.what === 'listing') {
      if (event.complete) tellHook(hooks.list, { session, path, entries: transfer.entries }, log);
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
    const { reported, hookSession } = this.#options;
    reported({
      user: login.user,
      isAnonymous: login.isAnonymous,
      remoteAddress: hookSession.remoteAddress,
      direction: plan.what,
      path: plan.path,
      bytes: transfer.bytes,
      elapsedMs,
      isComplete,
      isAscii: plan.what !== 'listing' && plan.ascii,
      isPrivate: protection === 'private',
    });
  }
}

const HOW: Readonly<Record<'replace' | 'append' | 'create', UploadEvent['how']>> = {
  replace: 'store',
  append: 'append',
  create: 'unique',
};

async function remove(storage: FileSystem, path: string, log: Logger): Promise<void> {
  try {
    const removed = await storage.removeFile?.(path);
    if (removed?.ok === false) log.warn({ path, problem: removed.error }, 'a refused upload could not be removed');
  } catch (error) {
    log.error({ err: error, path }, 'a refused upload could not be removed');
  }
}

// The glue of one control connection: bytes to commands, commands to decisions, decisions to replies and effects.
//
// Commands are answered strictly in the order they came. One effect runs at a time; behind it a few commands wait
// decoded, the rest as bytes, and when those are many too the connection is paused.

import type { AddressBans, Clock, CloseReason, Connection, Logger, Result, Sink, Timer } from '@wellknown/core';
import type { FileSystem } from './file-system.ts';
import { openLogin, type Authenticate, type Login } from './users/login.ts';
import { parseCommand, type Command } from './command-parser.ts';
import type { DataChannel, DataChannels, PassiveChannel } from './data-channel.ts';
import { runChange, runList, runStat } from './effect-runner.ts';
import { createLineDecoder } from './line-decoder.ts';
import { encodeReply, REPLY, type Reply } from './replies.ts';
import { specOf } from './commands/table.ts';
import type { Effect, Outcome } from './effects.ts';
import { step } from './session.ts';
import { INITIAL_STATE, type DataPlan, type SessionContext, type SessionState } from './session-state.ts';
import { createTransfer, type Transfer } from './transfer.ts';

/** What the control connections of one server share. */
export interface ControlOptions {
  readonly authenticate: Authenticate;
  /** For users who have none of their own. */
  readonly fileSystem: FileSystem;
  readonly greeting: Reply;
  /** From the greeting to a successful login. */
  readonly loginTimeoutMs: number;
  /** Without a command and without a transfer. */
  readonly idleTimeoutMs: number;
  /** Commands that wait decoded behind the one being worked on. */
  readonly maxQueuedCommands: number;
  readonly maxLineBytes: number;
  readonly onTransfer: ((report: TransferReport) => void) | undefined;
}

/** What became of one transfer. */
export interface TransferReport {
  readonly user: string;
  readonly remoteAddress: string;
  readonly direction: 'download' | 'upload' | 'listing';
  readonly path: string;
  readonly bytes: number;
  readonly elapsedMs: number;
  /** False for anything but a 226: an upload that is not complete must not be taken for one. */
  readonly isComplete: boolean;
}

interface Queued {
  readonly command: Result<Command, Reply>;
  hasAborted: boolean;
}

/** Serves one connection; the result is its sink. */
export function createControlConnection(
  connection: Connection,
  session: SessionContext,
  channels: DataChannels,
  context: { readonly log: Logger; readonly clock: Clock; readonly bans: AddressBans },
  options: ControlOptions,
): Sink {
  const { log, clock } = context;
  const decoder = createLineDecoder({ maxLineBytes: options.maxLineBytes });
  const queue: Queued[] = [];
  let state: SessionState = INITIAL_STATE;
  /** An effect is under way. */
  let isBusy = false;
  let transfer: Transfer | undefined;
  /** The listener of the last PASV or EPSV, until a transfer takes it over. */
  let passive: PassiveChannel | undefined;
  let delay: Timer | undefined;
  let isPaused = false;
  /** The peer does not take our replies: no more commands until it does. */
  let isBlocked = false;
  let isOver = false;
  let peerHasEnded = false;
  let isDraining = false;

  const send = (reply: Reply): void => {
    if (!connection.send(encodeReply(reply), 'utf8')) isBlocked = true;
  };

  const finish = (lastWord?: Reply, reason?: CloseReason): void => {
    if (isOver) return;
    isOver = true;
    release();
    connection.end(lastWord === undefined ? undefined : encodeReply(lastWord), 'utf8', reason);
  };

  /** Lets go of everything that is not the connection itself. */
  const release = (): void => {
    delay?.cancel();
    transfer?.abort();
    dropPassive();
    queue.length = 0;
  };

  const dropPassive = (): void => {
    passive?.close();
    passive = undefined;
  };

  // The idle limit is kept here and not by core: an idle session is sent 421, and one with a transfer is not idle.
  const { idleTimeoutMs } = connection;
  connection.setIdleTimeout(0);

  /**
   * One deadline for everything: before login it runs from the greeting, afterwards from the last thing that happened.
   */
  const restartIdleClock = (): void =>
    connection.setDeadline(state.at === 'ready' && transfer === undefined ? idleTimeoutMs : 0);

  const moveTo = (next: SessionState): void => {
    const wasReady = state.at === 'ready';
    state = next;
    if (next.at === 'ready') restartIdleClock();
    else if (wasReady) connection.setDeadline(options.loginTimeoutMs);
    if (next.at !== 'ready' || next.data.how !== 'passive') dropPassive();
  };

  const apply = ({ state: next, reply, effect }: Outcome): void => {
    if (isOver) return;
    // The transfer takes its listener along before the new state drops it.
    const channel = effect?.type === 'transfer' ? takeChannel(effect.data) : undefined;
    moveTo(next);
    if (effect?.type === 'close') {
      finish(reply);
      return;
    }
    if (reply !== undefined) send(reply);
    if (effect === undefined) return;
    isBusy = true;
    perform(effect, channel).then(
      (outcome) => {
        isBusy = false;
        if (isOver) return;
        apply(outcome);
        run();
      },
      (error: unknown) =>
        connection.destroy('handler-failed', error instanceof Error ? error : new Error(String(error))),
    );
  };

  const takeChannel = (data: DataPlan): DataChannel | undefined => {
    if (data.how === 'active') return channels.connect(data.to);
    const taken = passive;
    passive = undefined;
    return taken;
  };

  const perform = async (
    effect: Exclude<Effect, { readonly type: 'close' }>,
    channel: DataChannel | undefined,
  ): Promise<Outcome> => {
    const failed = (error: unknown): void =>
      log.error({ err: error, connection: connection.id }, 'a file system call failed');
    switch (effect.type) {
      case 'authenticate':
        return effect.resume(await authenticate(effect.user, effect.password));
      case 'delay':
        await new Promise<void>((resolve) => (delay = clock.after(effect.delayMs, resolve)));
        return effect.resume();
      case 'listen':
        return effect.resume(await listen());
      case 'stat':
        return effect.resume(await runStat(loginOf(state).fileSystem, effect.path, failed));
      case 'change':
        return effect.resume(await runChange(loginOf(state).fileSystem, effect.change, failed));
      case 'list':
        return effect.resume(await runList(loginOf(state).fileSystem, effect.request, failed));
      case 'transfer':
        return runTransfer(effect, channel, failed);
    }
  };

  const authenticate = async (user: string, password: string): Promise<Login | undefined> => {
    try {
      const { remote } = connection;
      const secure = connection.secure !== undefined;
      const grant = await options.authenticate({ user, password, remote, secure });
      log.info({ user, connection: connection.id, remote: session.remote, accepted: grant !== undefined }, 'login');
      if (grant === undefined) context.bans.offend(remote);
      return grant === undefined ? undefined : openLogin(grant, { user, remote, secure }, options.fileSystem);
    } catch (error) {
      log.error({ err: error, user, connection: connection.id }, 'the authenticator failed');
      return undefined;
    }
  };

  const listen = async (): Promise<number | undefined> => {
    dropPassive();
    const channel = await channels.listen();
    // The connection may have closed in the meantime.
    if (isOver) channel?.close();
    else passive = channel;
    return channel?.port;
  };

  const runTransfer = async (
    effect: Extract<Effect, { readonly type: 'transfer' }>,
    channel: DataChannel | undefined,
    failed: (error: unknown) => void,
  ): Promise<Outcome> => {
    if (channel === undefined) return effect.resume({ at: 'no-connection' });
    const login = loginOf(state);
    const started = createTransfer(effect.plan, login.fileSystem, channel, failed);
    transfer = started;
    restartIdleClock();
    const startedMs = clock.nowMs();
    abortIfAsked();
    const end = await started.run((sizeBytes) => {
      if (!isOver) send(effect.opening(sizeBytes));
    });
    transfer = undefined;
    restartIdleClock();
    const { what, path } = effect.plan;
    const isComplete = end.at === 'complete';
    const remoteAddress = session.remote.family === 'unix' ? '' : session.remote.address;
    const report: TransferReport = {
      user: login.user,
      remoteAddress,
      direction: what,
      path,
      bytes: started.bytes,
      elapsedMs: clock.nowMs() - startedMs,
      isComplete,
    };
    log.info({ ...report, connection: connection.id }, 'transfer');
    options.onTransfer?.(report);
    return effect.resume(end);
  };

  /** ABOR acts on arrival; its reply waits for its turn. */
  const abortIfAsked = (): void => {
    const item = queue.find(({ command }) => command.ok && specOf(command.value.verb)?.duringTransfer === 'aborts');
    if (transfer === undefined || item === undefined) return;
    item.hasAborted = true;
    transfer.abort();
  };

  const fillQueue = (): void => {
    while (queue.length < options.maxQueuedCommands) {
      const line = decoder.next();
      if (line === undefined) break;
      queue.push({ command: parseCommand(line), hasAborted: false });
    }
    const hasBacklog = decoder.pendingBytes > 0;
    if (hasBacklog === isPaused) return;
    isPaused = hasBacklog;
    if (isPaused) connection.pause();
    else connection.resume();
  };

  const mayRun = ({ command }: Queued): boolean => {
    if (isBlocked) return false;
    if (!isBusy) return true;
    return (
      transfer !== undefined &&
      command.ok &&
      command.value.argument === '' &&
      specOf(command.value.verb)?.duringTransfer === 'answers'
    );
  };

  const run = (): void => {
    connection.cork();
    while (!isOver) {
      fillQueue();
      abortIfAsked();
      const item = queue[0];
      if (item === undefined || !mayRun(item)) break;
      if (isDraining && !isBusy) break;
      queue.shift();
      runOne(item);
    }
    connection.uncork();
    if (isBusy || isOver) return;
    if (isDraining) finish(REPLY.serviceClosing);
    else if (peerHasEnded && !isBlocked && queue.length === 0) finish();
  };

  const runOne = ({ command, hasAborted }: Queued): void => {
    if (!command.ok) {
      if (state.at === 'ready') restartIdleClock();
      send(command.error);
      return;
    }
    apply(step(state, command.value, session, { transferBytes: transfer?.bytes, hasAborted }));
  };

  // Core's own idle limit closes without a reply; the deadline below sends 421 first.
  connection.setDeadline(options.loginTimeoutMs);
  send(options.greeting);

  return {
    data(chunk) {
      if (isOver) return;
      decoder.push(chunk);
      run();
    },
    ended() {
      peerHasEnded = true;
      // The end of the control connection means ABOR and QUIT (RFC 959 §3.2), also after a QUIT: basic-ftp sends one
      // while it tears everything down. A download may still have a reader; an upload cut here must not pass for a
      // whole one.
      if (transfer?.plan.what === 'upload') transfer.abort();
      run();
    },
    drained() {
      isBlocked = false;
      run();
    },
    deadline: () =>
      state.at === 'ready' ? finish(REPLY.idleTimeout, 'idle-timeout') : finish(REPLY.loginTimeout, 'protocol-timeout'),
    drain() {
      isDraining = true;
      run();
    },
    closed() {
      isOver = true;
      release();
    },
  };
}

function loginOf(state: SessionState): Login {
  // Only rows that need a login ask for files; the table's rule makes sure of it.
  if (state.at !== 'ready') throw new Error('a file effect without a login');
  return state.login;
}

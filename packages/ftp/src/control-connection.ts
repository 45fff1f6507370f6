// The glue of one control connection: bytes to commands, commands to decisions, decisions to replies and effects.
//
// Commands are answered strictly in the order they came. One effect runs at a time; behind it a few commands wait
// decoded, the rest as bytes, and when those are many too the connection is paused. While a transfer runs, the rows of
// the table that say so are answered at once.

import type { CloseReason, Connection, ServiceContext, Sink } from '@wellknown/core';
import { CommandQueue, type QueuedCommand } from './command-queue.ts';
import type { Charset } from './charset.ts';
import type { Command } from './command-parser.ts';
import type { UserSessions } from './user-sessions.ts';
import type { FileSystem } from './file-system.ts';
import type { Authenticate, Login } from './users/login.ts';
import { specOf } from './commands/table.ts';
import type { DataChannels } from './data-channel.ts';
import { EffectPerformer } from './effect-performer.ts';
import { effectText, type Outcome } from './effects.ts';
import type { PassiveAddress } from './passive-address.ts';
import { askHook, tellHook, type FtpHooks, type HookSession } from './hooks.ts';
import { REPLY, reply, replyBytes, type Reply } from './replies.ts';
import { step, withoutRename } from './session.ts';
import { hostOfHandshake, initialState, type SessionContext, type SessionState } from './session-state.ts';
import { countTransfer } from './counters.ts';
import type { TransferReport } from './transfer-report.ts';

/** What the control connections of one server share. */
export interface ControlOptions {
  readonly authenticate: Authenticate;
  readonly passiveAddress: PassiveAddress;
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
  readonly hooks: FtpHooks;
  readonly userSessions: UserSessions;
  readonly charset: Charset;
}

/**
 * `serving`: commands are answered. `quitting`: QUIT came in the middle of a transfer, whose result is still said (RFC 959
 * §4.1.1). `over`: the last word is said, or the connection is no more.
 */
type Phase = 'serving' | 'quitting' | 'over';

/** Serves one connection; the result is its sink. */
export function createControlConnection(
  connection: Connection,
  session: SessionContext,
  channels: DataChannels,
  { log, clock, bans, counters }: Pick<ServiceContext, 'log' | 'clock' | 'bans' | 'counters'>,
  options: ControlOptions,
): Sink {
  const queue = new CommandQueue(connection, options);
  const { secure } = connection;
  let state: SessionState =
    secure === undefined ? initialState('clear') : initialState('secure', hostOfHandshake(secure.serverName, session));
  let phase: Phase = 'serving';
  /** The effect under way, in a few words. */
  let working: string | undefined;
  /** A hook is thinking about a command. */
  let isAsking = false;
  /** The peer does not take our replies: no more commands until it does. */
  let isBlocked = false;
  let peerHasEnded = false;
  let isDraining = false;

  const bytesOf = (reply: Reply): Uint8Array => replyBytes(reply, options.charset, connection.secure === undefined);

  const send = (reply: Reply): void => {
    if (phase !== 'over' && !connection.send(bytesOf(reply))) isBlocked = true;
  };

  const openedMs = clock.nowMs();
  const hookSession: HookSession = {
    id: connection.id,
    remoteAddress: session.remote.family === 'unix' ? '' : session.remote.address,
    get user() {
      return state.at === 'ready' ? state.login.user : undefined;
    },
    get secure() {
      return connection.secure !== undefined;
    },
  };

  const performer = new EffectPerformer({
    connection,
    channels,
    log,
    clock,
    bans,
    counters,
    hookSession,
    authenticate: options.authenticate,
    passiveAddress: options.passiveAddress,
    fileSystem: options.fileSystem,
    hooks: options.hooks,
    userSessions: options.userSessions,
    charset: options.charset,
    unreadBytes: () => queue.unreadBytes,
    send,
    transferChanged: () => {
      restartIdleClock();
      abortIfAsked();
    },
    reported(report) {
      countTransfer(counters, report);
      log.info({ ...report, connection: connection.id }, 'transfer');
      options.onTransfer?.(report);
    },
  });

  const finish = (lastWord?: Reply, reason?: CloseReason): void => {
    if (phase === 'over') return;
    release();
    connection.end(lastWord === undefined ? undefined : bytesOf(lastWord), 'latin1', reason);
  };

  /** Lets go of everything that is not the connection itself. */
  const release = (): void => {
    phase = 'over';
    performer.release();
    queue.clear();
  };

  // The idle limit is kept here and not by core: an idle session is sent 421, and one with a transfer is not idle.
  const { idleTimeoutMs: ownIdleTimeoutMs } = connection;
  connection.setIdleTimeout(0);

  /**
   * One deadline for everything: before login it runs from the greeting, afterwards from the last thing that happened.
   */
  const restartIdleClock = (): void => {
    if (state.at !== 'ready') return;
    const { idleTimeoutMs = ownIdleTimeoutMs } = state.login.limits;
    connection.setDeadline(performer.transfer === undefined ? idleTimeoutMs : 0);
  };

  const moveTo = (next: SessionState): void => {
    const wasReady = state.at === 'ready';
    state = next;
    if (next.at === 'ready') restartIdleClock();
    else if (wasReady) {
      performer.loggedOut();
      connection.setDeadline(options.loginTimeoutMs);
    }
    if (next.at !== 'ready' || next.data.how !== 'passive') performer.dropPassive();
  };

  /** `verb` is the command's that has led to it. */
  const apply = ({ state: next, reply, effect }: Outcome, verb: string): void => {
    if (phase === 'over') return;
    const channel = effect?.type === 'transfer' ? performer.takeChannel(effect.data) : undefined;
    moveTo(next);
    if (effect?.type === 'close') {
      quit(reply);
      return;
    }
    if (reply !== undefined) send(reply);
    if (effect === undefined) return;
    working = effectText(verb, effect);
    performer.perform(effect, loginOf(state), channel).then(
      (performed) => {
        working = undefined;
        if (performed.type === 'outcome') apply(performed.outcome, verb);
        else send(performed.reply);
        run();
      },
      (error: unknown) =>
        connection.destroy('handler-failed', error instanceof Error ? error : new Error(String(error))),
    );
  };

  const quit = (reply: Reply | undefined): void => {
    if (performer.transfer === undefined) {
      finish(reply);
      return;
    }
    if (reply !== undefined) send(reply);
    phase = 'quitting';
    queue.clear();
  };

  /** ABOR acts on arrival; its reply waits for its turn. */
  const abortIfAsked = (): void => {
    if (performer.transfer === undefined) return;
    const item = queue.find(({ command }) => command.ok && specOf(command.value.verb)?.duringTransfer === 'aborts');
    if (item === undefined) return;
    item.hasAborted = true;
    performer.transfer.abort();
  };

  const mayRun = ({ command }: QueuedCommand): boolean => {
    if (isBlocked || isAsking) return false;
    if (working === undefined) return true;
    if (performer.transfer === undefined || !command.ok) return false;
    const spec = specOf(command.value.verb);
    // After REIN: what needs a login is refused, whether the transfer goes on or not.
    if (state.at !== 'ready' && spec !== undefined && spec.access !== 'anyone') return true;
    return spec?.duringTransfer === 'answers' && command.value.argument === '';
  };

  const run = (): void => {
    if (phase === 'serving') {
      connection.cork();
      runAll();
      connection.uncork();
    }
    if (phase === 'over' || working !== undefined || isAsking) return;
    if (phase === 'quitting') finish();
    else if (isDraining) finish(REPLY.serviceClosing);
    else if (peerHasEnded && !isBlocked && queue.isEmpty) finish();
  };

  const runAll = (): void => {
    for (;;) {
      queue.fill();
      abortIfAsked();
      const item = queue.first;
      if (phase !== 'serving' || item === undefined || !mayRun(item) || (isDraining && working === undefined)) return;
      queue.shift();
      runOne(item);
    }
  };

  const runOne = ({ command, hasAborted }: QueuedCommand): void => {
    if (command.ok) {
      if (options.hooks.command !== undefined) {
        askFirst(command.value, hasAborted);
        return;
      }
      carryOut(command.value, hasAborted);
      return;
    }
    moveTo(withoutRename(state));
    send(command.error);
  };

  const carryOut = (command: Command, hasAborted: boolean): void =>
    apply(step(state, command, session, { transferBytes: performer.transfer?.bytes, hasAborted }), command.verb);

  /** Nothing else is answered while a hook thinks, but for a transfer, which goes on. */
  const askFirst = (command: Command, hasAborted: boolean): void => {
    isAsking = true;
    const { verb } = command;
    const argument = verb === 'PASS' || verb === 'ACCT' ? '' : command.argument;
    void askHook(options.hooks.command, { session: hookSession, verb, argument }, log).then((refusal) => {
      isAsking = false;
      if (phase !== 'serving') return;
      if (refusal === undefined) carryOut(command, hasAborted);
      else {
        moveTo(withoutRename(state));
        send(reply(refusal.code ?? 550, refusal.refuse));
      }
      run();
    });
  };

  // Core's own idle limit closes without a reply; the deadline below sends 421 first.
  connection.setDeadline(options.loginTimeoutMs);
  send(options.greeting);

  return {
    data(chunk) {
      if (phase !== 'serving') return;
      queue.push(chunk);
      run();
    },
    ended() {
      peerHasEnded = true;
      // The end of the control connection means ABOR and QUIT (RFC 959 §3.2), also after a QUIT: basic-ftp sends one
      // while it tears everything down. A download may still have a reader; an upload cut here must not pass for a
      // whole one.
      if (performer.transfer?.plan.what === 'upload') performer.transfer.abort();
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
    doing: () => working,
    closed(reason) {
      release();
      tellHook(options.hooks.disconnect, { session: hookSession, reason, ms: clock.nowMs() - openedMs }, log);
    },
  };
}

const loginOf = (state: SessionState): Login | undefined => (state.at === 'ready' ? state.login : undefined);

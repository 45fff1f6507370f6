// The glue of one control connection: bytes to commands, commands to decisions, decisions to replies and effects.
//
// Commands are answered strictly in the order they came. One effect runs at a time; behind it a few commands wait
// decoded, the rest as bytes, and when those are many too the connection is paused. While a transfer runs, the rows of
// the table that say so are answered at once.
//
// There are thousands of these, most of them idle: one object with little in it, and what a session may never need is made
// when it does.

import type { CloseReason, Connection, Sink } from '@wellknown/core';
import { CommandQueue, type QueuedCommand } from './command-queue.ts';
import type { Command } from './command-parser.ts';
import type { ControlOptions } from './control-options.ts';
import type { Login } from './users/login.ts';
import { specOf } from './commands/table.ts';
import { EffectPerformer, type PerformerHost } from './effect-performer.ts';
import { effectText, type Outcome } from './effects.ts';
import { askHook, hookSessionOf, remoteAddressOf, tellHook, type HookSession } from './hooks.ts';
import { REPLY, reply, replyOnWire, type Reply } from './replies.ts';
import { step, withoutRename } from './session.ts';
import { hostOfHandshake, initialState, type SessionContext, type SessionState } from './session-state.ts';

/**
 * `serving`: commands are answered. `quitting`: QUIT came in the middle of a transfer, whose result is still said (RFC 959
 * §4.1.1). `over`: the last word is said, or the connection is no more.
 */
type Phase = 'serving' | 'quitting' | 'over';

/** Serves one connection, whose sink it is. */
export class ControlConnection implements Sink, PerformerHost {
  readonly connection: Connection;
  readonly options: ControlOptions;
  readonly #session: SessionContext;
  readonly #queue: CommandQueue;
  readonly #performer: EffectPerformer;
  readonly #openedMs: number;
  /** The idle limit of a login that names none. */
  readonly #idleTimeoutMs: number;
  #state: SessionState;
  #phase: Phase = 'serving';
  /** The effect under way, in a few words. */
  #working: string | undefined;
  /** A hook is thinking about a command. */
  #isAsking = false;
  /** The peer does not take our replies: no more commands until it does. */
  #isBlocked = false;
  #peerHasEnded = false;
  #isDraining = false;
  #hookSession: HookSession | undefined;

  constructor(connection: Connection, session: SessionContext, options: ControlOptions) {
    this.connection = connection;
    this.options = options;
    this.#session = session;
    this.#queue = new CommandQueue(connection, options);
    this.#performer = new EffectPerformer(this);
    this.#openedMs = options.clock.nowMs();
    const { secure } = connection;
    this.#state =
      secure === undefined
        ? initialState('clear')
        : initialState('secure', hostOfHandshake(secure.serverName, session));
    // The idle limit is kept here and not by core: an idle session is sent 421, and one with a transfer is not idle.
    this.#idleTimeoutMs = connection.idleTimeoutMs;
    connection.setIdleTimeout(0);
    connection.setDeadline(options.loginTimeoutMs);
    this.send(options.greeting);
  }

  // For what it waits for ---------------------------------------------------------------------------------------------

  get hookSession(): HookSession {
    return (this.#hookSession ??= hookSessionOf(this.connection, () => loginOf(this.#state)?.user));
  }

  get remoteAddress(): string {
    return remoteAddressOf(this.connection);
  }

  get unreadBytes(): number {
    return this.#queue.unreadBytes;
  }

  send(reply: Reply): void {
    if (this.#phase !== 'over' && !this.connection.send(this.#onWire(reply))) this.#isBlocked = true;
  }

  transferChanged(): void {
    this.#restartIdleClock();
    this.#abortIfAsked();
  }

  // What the connection calls -----------------------------------------------------------------------------------------

  data(chunk: Uint8Array): void {
    if (this.#phase !== 'serving') return;
    this.#queue.push(chunk);
    this.#run();
  }

  ended(): void {
    this.#peerHasEnded = true;
    // The end of the control connection means ABOR and QUIT (RFC 959 §4.1.1), also after a QUIT: basic-ftp sends one
    // while it tears everything down. A download may still have a reader; an upload cut here must not pass for a
    // whole one.
    const { transfer } = this.#performer;
    if (transfer?.plan.what === 'upload') transfer.abort();
    this.#run();
  }

  drained(): void {
    this.#isBlocked = false;
    this.#run();
  }

  // Core's own idle limit would close without a reply.
  deadline(): void {
    if (this.#state.at === 'ready') this.#finish(REPLY.idleTimeout, 'idle-timeout');
    else this.#finish(REPLY.loginTimeout, 'protocol-timeout');
  }

  drain(): void {
    this.#isDraining = true;
    this.#run();
  }

  doing(): string | undefined {
    return this.#working;
  }

  closed(reason: CloseReason): void {
    this.#release();
    const { hooks, clock, log } = this.options;
    if (hooks.disconnect === undefined) return;
    tellHook(hooks.disconnect, { session: this.hookSession, reason, ms: clock.nowMs() - this.#openedMs }, log);
  }

  // Inside ------------------------------------------------------------------------------------------------------------

  #onWire(reply: Reply): Uint8Array | string {
    return replyOnWire(reply, this.options.charset, this.connection.secure === undefined);
  }

  #finish(lastWord?: Reply, reason?: CloseReason): void {
    if (this.#phase === 'over') return;
    this.#release();
    this.connection.end(lastWord === undefined ? undefined : this.#onWire(lastWord), 'latin1', reason);
  }

  /** Lets go of everything that is not the connection itself. */
  #release(): void {
    this.#phase = 'over';
    this.#performer.release();
    this.#queue.clear();
  }

  /**
   * One deadline for everything: before login it runs from the greeting, afterwards from the last thing that happened.
   */
  #restartIdleClock(): void {
    if (this.#state.at !== 'ready') return;
    const { idleTimeoutMs = this.#idleTimeoutMs } = this.#state.login.limits;
    this.connection.setDeadline(this.#performer.transfer === undefined ? idleTimeoutMs : 0);
  }

  #moveTo(next: SessionState): void {
    const wasReady = this.#state.at === 'ready';
    this.#state = next;
    if (next.at === 'ready') this.#restartIdleClock();
    else if (wasReady) {
      this.#performer.loggedOut();
      this.connection.setDeadline(this.options.loginTimeoutMs);
    }
    if (next.at !== 'ready' || next.data.how !== 'passive') this.#performer.dropPassive();
  }

  /** `verb` is the command's that has led to it. */
  #apply({ state: next, reply, effect }: Outcome, verb: string): void {
    if (this.#phase === 'over') return;
    const channel = effect?.type === 'transfer' ? this.#performer.takeChannel(effect.data) : undefined;
    this.#moveTo(next);
    if (effect?.type === 'close') {
      this.#quit(reply);
      return;
    }
    if (reply !== undefined) this.send(reply);
    if (effect === undefined) return;
    this.#working = effectText(verb, effect);
    this.#performer.perform(effect, loginOf(this.#state), channel).then(
      (performed) => {
        this.#working = undefined;
        if (performed.type === 'outcome') this.#apply(performed.outcome, verb);
        else this.send(performed.reply);
        this.#run();
      },
      (error: unknown) =>
        this.connection.destroy('handler-failed', error instanceof Error ? error : new Error(String(error))),
    );
  }

  #quit(reply: Reply | undefined): void {
    if (this.#performer.transfer === undefined) {
      this.#finish(reply);
      return;
    }
    if (reply !== undefined) this.send(reply);
    this.#phase = 'quitting';
    this.#queue.clear();
  }

  /** ABOR acts on arrival; its reply waits for its turn. */
  #abortIfAsked(): void {
    const { transfer } = this.#performer;
    if (transfer === undefined) return;
    const item = this.#queue.find(
      ({ command }) => command.ok && specOf(command.value.verb)?.duringTransfer === 'aborts',
    );
    if (item === undefined) return;
    item.hasAborted = true;
    transfer.abort();
  }

  #mayRun({ command }: QueuedCommand): boolean {
    if (this.#isBlocked || this.#isAsking) return false;
    if (this.#working === undefined) return true;
    if (this.#performer.transfer === undefined || !command.ok) return false;
    const spec = specOf(command.value.verb);
    // After REIN: what needs a login is refused, whether the transfer goes on or not.
    if (this.#state.at !== 'ready' && spec !== undefined && spec.access !== 'anyone') return true;
    return spec?.duringTransfer === 'answers' && command.value.argument === '';
  }

  #run(): void {
    if (this.#phase === 'serving') {
      this.#queue.fill();
      // One reply leaves soonest by itself.
      if (this.#queue.hasSeveral) {
        this.connection.cork();
        this.#runAll();
        this.connection.uncork();
      } else this.#runAll();
    }
    if (this.#phase === 'over' || this.#working !== undefined || this.#isAsking) return;
    if (this.#phase === 'quitting') this.#finish();
    else if (this.#isDraining) this.#finish(REPLY.serviceClosing);
    else if (this.#peerHasEnded && !this.#isBlocked && this.#queue.isEmpty) this.#finish();
  }

  #runAll(): void {
    for (;;) {
      this.#abortIfAsked();
      const item = this.#queue.first;
      if (this.#phase !== 'serving' || item === undefined || !this.#mayRun(item)) return;
      if (this.#isDraining && this.#working === undefined) return;
      this.#queue.shift();
      this.#runOne(item);
      this.#queue.fill();
    }
  }

  #runOne({ command, hasAborted }: QueuedCommand): void {
    if (!command.ok) {
      this.#moveTo(withoutRename(this.#state));
      this.send(command.error);
    } else if (this.options.hooks.command === undefined) this.#carryOut(command.value, hasAborted);
    else this.#askFirst(command.value, hasAborted);
  }

  #carryOut(command: Command, hasAborted: boolean): void {
    const transferBytes = this.#performer.transfer?.tally.bytes;
    this.#apply(step(this.#state, command, this.#session, { transferBytes, hasAborted }), command.verb);
  }

  /** Nothing else is answered while a hook thinks, but for a transfer, which goes on. */
  #askFirst(command: Command, hasAborted: boolean): void {
    this.#isAsking = true;
    const { verb } = command;
    const argument = verb === 'PASS' || verb === 'ACCT' ? '' : command.argument;
    const { hooks, log } = this.options;
    void askHook(hooks.command, { session: this.hookSession, verb, argument }, log).then((refusal) => {
      this.#isAsking = false;
      if (this.#phase !== 'serving') return;
      if (refusal === undefined) this.#carryOut(command, hasAborted);
      else {
        this.#moveTo(withoutRename(this.#state));
        this.send(reply(refusal.code ?? 550, refusal.refuse));
      }
      this.#run();
    });
  }
}

const loginOf = (state: SessionState): Login | undefined => (state.at === 'ready' ? state.login : undefined);

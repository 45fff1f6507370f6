// All sessions of a server, over all of its workers: a list of them, and a word to each. Every process knows its own;
// the others are asked and told through the siblings of the service.

import type { Clock, ServiceContext, Siblings } from '@wellknown/core';
import type { SessionInfo, TelnetSession } from './session.ts';

export interface SessionHub {
  /** From now on the session is listed and reached. Returns what takes it out. */
  add(session: TelnetSession): () => void;
  keyOf(session: TelnetSession): string;
  /** All sessions. Those of a worker that does not answer within half a second are missing. */
  list(): Promise<readonly SessionInfo[]>;
  /** Prints a line to every session but one. */
  broadcast(text: string, except?: TelnetSession): void;
}

type Message =
  | { readonly type: 'print'; readonly text: string }
  | { readonly type: 'list?'; readonly from: string; readonly question: number }
  | {
      readonly type: 'list';
      readonly to: string;
      readonly question: number;
      readonly sessions: readonly SessionInfo[];
    };

const MAX_ANSWER_MS = 500;
// A line for people. Longer would be sent to all workers and queued for every slow client.
const MAX_BROADCAST_CHARACTERS = 16_384;

interface Member {
  readonly session: TelnetSession;
  readonly sinceMs: number;
}

interface Question {
  readonly sessions: SessionInfo[];
  answersMissing: number;
  readonly finish: () => void;
}

class Hub implements SessionHub {
  readonly #clock: Clock;
  readonly #siblings: Siblings | undefined;
  readonly #context: ServiceContext;
  /** This process among the workers. */
  readonly #name: string;
  readonly #members = new Map<number, Member>();
  readonly #questions = new Map<number, Question>();
  #asked = 0;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#clock = context.clock;
    this.#siblings = context.siblings;
    // A slot has one worker after the other, and two while one drains.
    this.#name = `${context.workerSlot}.${context.clock.wallMs().toString(36)}`;
    this.#siblings?.listen((message) => this.#told(message as Message));
  }

  add(session: TelnetSession): () => void {
    this.#members.set(session.id, { session, sinceMs: this.#clock.nowMs() });
    return () => void this.#members.delete(session.id);
  }

  keyOf(session: TelnetSession): string {
    return `${this.#name}.${session.id}`;
  }

  async list(): Promise<readonly SessionInfo[]> {
    const siblings = this.#siblings;
    const others = this.#context.workerCount - 1;
    if (siblings === undefined || others === 0) return this.#own();
    this.#asked += 1;
    const question = this.#asked;
    const sessions: SessionInfo[] = this.#own();
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(MAX_ANSWER_MS, resolve);
      const finish = (): void => {
        timer.cancel();
        resolve();
      };
      this.#questions.set(question, { sessions, answersMissing: others, finish });
      siblings.tell({ type: 'list?', from: this.#name, question } satisfies Message);
    });
    this.#questions.delete(question);
    return sessions;
  }

  broadcast(text: string, except?: TelnetSession): void {
    const line = text.slice(0, MAX_BROADCAST_CHARACTERS);
    this.#print(line, except);
    this.#siblings?.tell({ type: 'print', text: line } satisfies Message);
  }

  #print(text: string, except?: TelnetSession): void {
    for (const { session } of this.#members.values()) if (session !== except) void session.print(text);
  }

  #own(): SessionInfo[] {
    return Array.from(this.#members.values(), ({ session, sinceMs }) => ({
      key: this.keyOf(session),
      name: session.name,
      remote: session.remote.family === 'unix' ? 'unix' : session.remote.address,
      terminalType: session.terminal.type,
      connectedForMs: this.#clock.nowMs() - sinceMs,
    }));
  }

  #told(message: Message): void {
    switch (message.type) {
      case 'print':
        this.#print(message.text);
        return;
      case 'list?': {
        const { from: to, question } = message;
        this.#siblings?.tell({ type: 'list', to, question, sessions: this.#own() } satisfies Message);
        return;
      }
      case 'list': {
        const question = message.to === this.#name ? this.#questions.get(message.question) : undefined;
        if (question === undefined) return;
        question.sessions.push(...message.sessions);
        question.answersMissing -= 1;
        if (question.answersMissing === 0) question.finish();
        return;
      }
    }
  }
}

const hubs = new WeakMap<ServiceContext, SessionHub>();

/** The hub of a service in this process. */
export function hubOf(context: ServiceContext): SessionHub {
  let hub = hubs.get(context);
  if (hub === undefined) hubs.set(context, (hub = new Hub(context)));
  return hub;
}

// A scripted dialogue: say this, expect that. Over a real connection or over memory; a failure shows what was said so
// far.

import type net from 'node:net';
import type tls from 'node:tls';
import { abortable, onAbort } from '../abort.ts';
import type { Endpoint } from '../address/endpoint.ts';
import { dialSocket, secureSocket } from '../socket/dial.ts';
import { streamEndpoint, type StreamEndpoint } from '../socket/socket-address.ts';
import type { MemoryConnection } from './memory-connection.ts';

/** One step of a script. */
export type DialogueStep =
  /** Says it. Strings are latin1. */
  | { readonly send: string | Uint8Array }
  /** What must come next: text exactly, a pattern as soon as it matches (it may match later than at the start). */
  | { readonly expect: string | RegExp }
  /** Upgrades to TLS, as the client. What has come and was not expected fails the script. */
  | { readonly startTls: tls.ConnectionOptions }
  /** Shuts down our writing side. */
  | { readonly end: true }
  /** The server must end, having said nothing more. */
  | { readonly expectEnd: true };

export interface DialogueOptions {
  /** How long an expectation waits over a real connection. Default ten seconds: only a hang gets there. */
  readonly giveUpMs?: number;
  /** Speaks TLS from the start, as `tls://…` does: what Node's `tls.connect` takes. */
  readonly tls?: tls.ConnectionOptions;
}

/** A conversation with a server. Every method rejects with an error that holds the transcript. */
export interface Dialogue extends AsyncDisposable {
  /** Strings are latin1. */
  send(data: string | Uint8Array): Promise<void>;
  /**
   * Text: exactly these bytes come next; the first one that differs ends the wait. A pattern: resolves as soon as it
   * matches what has come and was not expected yet. Returns what it took, up to the end of the match, as latin1.
   */
  expect(expected: string | RegExp): Promise<string>;
  /** The server ends the stream, and has said nothing that was not expected. */
  expectEnd(): Promise<void>;
  /**
   * Upgrades to TLS, as the client: what Node's `tls.connect` takes. Nothing that was not expected may have come. Not
   * over memory.
   */
  startTls(options?: tls.ConnectionOptions): Promise<void>;
  /** Shuts down our writing side; expecting goes on. */
  end(): Promise<void>;
  close(): Promise<void>;
  /** All that was said, a line for each piece: `>` by us, `<` by the server. */
  readonly transcript: string;
}

/** The far end as a dialogue needs it. */
interface Line {
  send(data: Uint8Array): Promise<void>;
  /** What has come, when something has; undefined at the end. */
  receive(): Promise<Uint8Array | undefined>;
  startTls(options: tls.ConnectionOptions | undefined): Promise<void>;
  end(): Promise<void>;
  close(): Promise<void>;
}

const GIVE_UP_MS = 10_000;
// A handler that awaits needs a few turns of the event loop; one that has not answered after so many waits for
// something else.
const GIVE_UP_TURNS = 1_000;
// Enough to see what led to a failure; an endless stream must not fill the memory.
const MAX_TRANSCRIPT_LINES = 200;
const MAX_SHOWN_CHARACTERS = 500;

/** Connects to an endpoint, or speaks as the peer of a connection over memory. */
export async function openDialogue(
  to: string | Endpoint | MemoryConnection,
  options: DialogueOptions = {},
): Promise<Dialogue> {
  if (typeof to !== 'string' && 'peer' in to) return converse(memoryLine(to));
  const endpoint = streamEndpoint(to);
  const giveUpMs = options.giveUpMs ?? GIVE_UP_MS;
  const socket = await dialSocket(endpoint, {
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    signal: AbortSignal.timeout(giveUpMs),
  });
  return converse(socketLine(socket, endpoint, giveUpMs));
}

/** Plays a script from its first step to its last, then closes. Resolves with the transcript. */
export async function playDialogue(
  to: string | Endpoint | MemoryConnection,
  script: readonly DialogueStep[],
  options: DialogueOptions = {},
): Promise<string> {
  const dialogue = await openDialogue(to, options);
  try {
    for (const step of script) {
      if ('send' in step) await dialogue.send(step.send);
      else if ('expect' in step) await dialogue.expect(step.expect);
      else if ('startTls' in step) await dialogue.startTls(step.startTls);
      else if ('end' in step) await dialogue.end();
      else await dialogue.expectEnd();
    }
    return dialogue.transcript;
  } finally {
    await dialogue.close();
  }
}

function converse(line: Line): Dialogue {
  const said: string[] = [];
  let received = '';
  let ended = false;

  const note = (who: '>' | '<' | '-', what: string): void => {
    said.push(`${who} ${what}`);
    if (said.length > MAX_TRANSCRIPT_LINES) said.shift();
  };
  const failure = (message: string, cause?: unknown): Error =>
    new Error(`${message}\nthe dialogue so far:\n${said.map((one) => `  ${one}\n`).join('')}`, { cause });
  const more = async (what: string): Promise<void> => {
    if (ended)
      throw failure(`expected ${what}, but the server has ended${received === '' ? '' : ` after ${shown(received)}`}`);
    let chunk: Uint8Array | undefined;
    try {
      chunk = await line.receive();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw failure(
        `expected ${what}, but ${reason}${received === '' ? '' : `; not expected yet: ${shown(received)}`}`,
        error,
      );
    }
    if (chunk === undefined) {
      ended = true;
      note('-', 'the server has ended');
      return;
    }
    const text = latin1(chunk);
    note('<', shown(text));
    received += text;
  };
  const take = (length: number): string => {
    const taken = received.slice(0, length);
    received = received.slice(length);
    return taken;
  };

  const dialogue: Dialogue = {
    get transcript() {
      return said.join('\n');
    },
    async send(data) {
      const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
      note('>', shown(latin1(bytes)));
      try {
        await line.send(bytes);
      } catch (error) {
        throw failure(`could not say ${shown(latin1(bytes))}`, error);
      }
    },
    async expect(expected) {
      for (;;) {
        if (typeof expected === 'string') {
          if (received.length >= expected.length && received.startsWith(expected)) return take(expected.length);
          if (!expected.startsWith(received)) throw failure(`expected ${shown(expected)}, got ${shown(received)}`);
        } else {
          const match = new RegExp(expected.source, expected.flags.replace(/[gy]/g, '')).exec(received);
          if (match !== null) return take(match.index + match[0].length);
        }
        await more(typeof expected === 'string' ? shown(expected) : String(expected));
      }
    },
    async expectEnd() {
      while (!ended && received === '') await more('the end');
      if (received !== '') throw failure(`expected the end, got ${shown(received)}`);
    },
    async startTls(options) {
      if (received !== '') throw failure(`expected a handshake, got ${shown(received)}`);
      try {
        await line.startTls(options);
      } catch (error) {
        throw failure(`TLS could not be started: ${error instanceof Error ? error.message : String(error)}`, error);
      }
      note('-', 'TLS from here on');
    },
    async end() {
      note('-', 'we have ended');
      await line.end();
    },
    close: () => line.close(),
    [Symbol.asyncDispose]: () => line.close(),
  };
  return dialogue;
}

function socketLine(connected: net.Socket, endpoint: StreamEndpoint, giveUpMs: number): Line {
  let socket = connected;
  // What breaks it is thrown by the next step that needs it.
  let failure: Error | undefined;
  const listen = (): void => void socket.on('error', (error) => (failure ??= error));
  listen();
  /** Resolves when something has happened. */
  const activity = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const events = ['readable', 'end', 'close'] as const;
      const settle = (run: () => void): void => {
        forget();
        for (const event of events) socket.off(event, happened);
        run();
      };
      const happened = (): void => settle(resolve);
      for (const event of events) socket.on(event, happened);
      const forget = onAbort(signal, () => settle(() => reject(new Error(`nothing came for ${giveUpMs} ms`))));
    });
  return {
    send(data) {
      const taken = new Promise<void>((resolve, reject) => {
        socket.write(data, (error) => {
          if (error === undefined || error === null) resolve();
          else reject(error);
        });
      });
      return abortable(taken, AbortSignal.timeout(giveUpMs), () => undefined);
    },
    async receive() {
      const timeout = AbortSignal.timeout(giveUpMs);
      for (;;) {
        const chunk = socket.read() as Buffer | null;
        if (chunk !== null) return chunk;
        if (failure !== undefined) throw failure;
        if (socket.readableEnded || socket.destroyed) return undefined;
        await activity(timeout);
      }
    },
    async startTls(options) {
      socket = await secureSocket(socket, endpoint, options, AbortSignal.timeout(giveUpMs));
      listen();
    },
    end: () =>
      abortable(
        new Promise<void>((resolve) => void socket.end(() => resolve())),
        AbortSignal.timeout(giveUpMs),
        () => undefined,
      ),
    close: () =>
      new Promise((resolve) => {
        if (socket.destroyed) {
          resolve();
          return;
        }
        socket.once('close', () => resolve());
        // Neither a peer that goes on speaking nor one that takes nothing may keep us.
        if (socket.writableLength > 0) socket.destroy();
        else socket.destroySoon();
        socket.resume();
      }),
  };
}

function memoryLine({ peer }: MemoryConnection): Line {
  const done = Promise.resolve();
  return {
    send: (data) => {
      peer.send(data);
      return done;
    },
    async receive() {
      for (let turn = 0; turn < GIVE_UP_TURNS; turn += 1) {
        const bytes = peer.takeBytes();
        if (bytes.length > 0) return bytes;
        if (peer.sawEnd || peer.closed) return undefined;
        await new Promise((resolve) => setImmediate(resolve));
      }
      throw new Error(`nothing came for ${GIVE_UP_TURNS} turns of the event loop`);
    },
    startTls: () => Promise.reject(new Error('a connection over memory knows no TLS')),
    end: () => {
      peer.end();
      return done;
    },
    close: () => {
      peer.end();
      return done;
    },
  };
}

const latin1 = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('latin1');

function shown(text: string): string {
  return text.length <= MAX_SHOWN_CHARACTERS
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, MAX_SHOWN_CHARACTERS))} and ${text.length - MAX_SHOWN_CHARACTERS} more`;
}

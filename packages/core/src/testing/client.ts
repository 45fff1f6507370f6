// A raw client for tests: says bytes, waits for bytes, and gives up with what it has seen so far.

import net from 'node:net';
import type { Endpoint } from '../address/endpoint.ts';
import { parseEndpoint } from '../address/endpoint.ts';

// Far beyond what any exchange on loopback takes; only a hang gets there.
const GIVE_UP_MS = 10_000;

export interface Client {
  readonly localPort: number;
  /** Strings are latin1. */
  send(data: string | Uint8Array): void;
  /** What was said and the kernel has no room for yet: a server that reads makes it shrink. */
  readonly unsentBytes: number;
  /**
   * Resolves with everything received so far (latin1), taken out, once it matches. Rejects at the end of the stream or
   * after ten seconds.
   */
  receive(expected: string | RegExp): Promise<string>;
  /** Everything until the server ends the stream, also when it resets. */
  receiveAll(): Promise<string>;
  /** Stops and starts reading, as a slow peer does. */
  pause(): void;
  resume(): void;
  /** Shuts down the writing side. */
  end(): void;
  /** Breaks the connection with a reset. */
  reset(): void;
  /** Resolves when the connection is no more. */
  readonly closed: Promise<void>;
}

/** Connects to an endpoint or its text form; a name of all addresses means this machine. */
export async function connectClient(to: string | Endpoint): Promise<Client> {
  const socket = net.connect(connectOptions(to));
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  let received = '';
  let over = false;
  let look: (() => void) | undefined;
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    look?.();
  });
  const finish = (): void => {
    over = true;
    look?.();
  };
  socket.on('end', finish);
  socket.on('error', finish);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void closed.then(finish);

  const wait = (isDone: () => boolean, what: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const settle = (run: () => void): void => {
        look = undefined;
        clearTimeout(timer);
        run();
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`waited for ${what}, received ${JSON.stringify(received.slice(-500))}`))),
        GIVE_UP_MS,
      );
      look = () => {
        if (isDone()) {
          settle(() => {
            const all = received;
            received = '';
            resolve(all);
          });
        } else if (over)
          settle(() =>
            reject(new Error(`the stream ended before ${what}, received ${JSON.stringify(received.slice(-500))}`)),
          );
      };
      look();
    });

  return {
    localPort: socket.localPort ?? 0,
    send(data) {
      if (typeof data === 'string') socket.write(data, 'latin1');
      else socket.write(data);
    },
    get unsentBytes() {
      return socket.writableLength;
    },
    receive: (expected) =>
      wait(
        () => (typeof expected === 'string' ? received.includes(expected) : expected.test(received)),
        String(expected),
      ),
    receiveAll: () => wait(() => over, 'the end of the stream'),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    // A unix socket has no reset: closing it is as abrupt as it gets.
    reset() {
      if (socket.remoteAddress === undefined) socket.destroy();
      else socket.resetAndDestroy();
    },
    closed,
  };
}

function connectOptions(to: string | Endpoint): net.NetConnectOpts {
  let endpoint = to;
  if (typeof endpoint === 'string') {
    const parsed = parseEndpoint(endpoint);
    if (!parsed.ok) throw new Error(parsed.error.message);
    endpoint = parsed.value;
  }
  if (endpoint.scheme === 'unix')
    return { path: endpoint.abstract ? `\0${endpoint.path}` : endpoint.path, allowHalfOpen: true };
  const host =
    endpoint.host === '' || endpoint.host === '0.0.0.0' ? '127.0.0.1' : endpoint.host === '::' ? '::1' : endpoint.host;
  return { host, port: endpoint.port, allowHalfOpen: true };
}

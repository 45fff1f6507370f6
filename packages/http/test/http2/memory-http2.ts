// HTTP/2 over memory and a fake clock: node:http2 in between is real, the time is the test's. The client writes frames by
// hand.

import type { Connection, Logger } from '@wellknown/core';
import { createFakeClock, serveInMemory, type MemoryConnection } from '@wellknown/core/testing';
import { HttpService } from '../../src/exchange/service.ts';
import type { FetchHandler } from '../../src/handler.ts';
import { Http2Connections } from '../../src/http2/connection.ts';
import { resolveHttpLimits, type HttpLimits } from '../../src/limits.ts';
import type { HttpProtocolOptions } from '../../src/protocol.ts';
import { OPENING, ReceivedFrames, type Frame } from './raw-http2.ts';

export interface MemoryHttp2 extends MemoryConnection {
  send(...frames: Uint8Array[]): void;
  /** From now on PINGs stay without an answer. */
  ignorePings(): void;
  /** Every frame that has been sent and read. */
  readonly frames: readonly Frame[];
  /** Lets everything run that needs no time, and reads what was sent. */
  settle(): Promise<void>;
  /** Moves the clock, in steps no longer than the timer wheel's, and settles after each. */
  pass(ms: number): Promise<void>;
  /** The first frame that fits, once it has come without any time passing; fails if none does. */
  until(fits: (frame: Frame) => boolean): Promise<Frame>;
}

const STEP_MS = 100;
// node:http2 writes a few turns of the event loop after it was asked; nothing here waits for anything outside.
const TURNS = 50;

export async function serveHttp2(
  handler: FetchHandler,
  limits: Partial<HttpLimits> = {},
  { accessLog, log }: Pick<HttpProtocolOptions, 'accessLog'> & { readonly log?: Logger } = {},
): Promise<MemoryHttp2> {
  const clock = createFakeClock();
  const memory = serveInMemory(
    {
      name: 'http',
      port: 443,
      open(connection: Connection, context) {
        const service = new HttpService({
          handler,
          limits: resolveHttpLimits(limits),
          context,
          proxies: undefined,
          accessLog,
        });
        return new Http2Connections(service).open(connection);
      },
    },
    { clock, ...(log !== undefined && { context: { log } }) },
  );
  const { peer } = memory;
  const received = new ReceivedFrames((bytes) => peer.send(bytes));
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      received.push(peer.takeBytes());
    }
  };
  peer.send(OPENING);
  await settle();
  return {
    connection: memory.connection,
    peer,
    clock,
    get closeReason() {
      return memory.closeReason;
    },
    frames: received.frames,
    send: (...frames) => peer.send(Buffer.concat(frames)),
    ignorePings: () => void (received.answersPings = false),
    settle,
    async pass(ms) {
      for (let left = ms; left > 0; left -= STEP_MS) {
        clock.advance(Math.min(STEP_MS, left));
        await settle();
      }
    },
    async until(fits) {
      await settle();
      const found = received.frames.find(fits);
      if (found === undefined) throw new Error('no such frame was sent while the clock stood still');
      return found;
    },
  };
}

// Before the session: the client is asked to speak TLS (START_TLS, option 46). Nothing else is said until it has
// answered, since what is agreed on in clear does not count behind the handshake.

import type { Connection, ServiceContext, Sink } from '@wellknown/core';
import { OPTIONS } from './engine/codes.ts';
import { createEngine, type EngineEvent } from './engine/engine.ts';
import { isStartTlsFollows, START_TLS_FOLLOWS } from './engine/options/start-tls.ts';

export interface StartTlsParts {
  readonly connection: Connection;
  readonly context: ServiceContext;
  /** A session without TLS is refused. */
  readonly isRequired: boolean;
  /** How long a client that says nothing is waited for. */
  readonly silenceMs: number;
  readonly maxMs: number;
  /** Begins the session. */
  readonly serve: () => Sink;
}

const STARTTLS = OPTIONS.STARTTLS.code;
// Negotiation of both sides takes some hundred; what is more is typed ahead, or a flood.
const MAX_BYTES_BEFORE_TLS = 4_096;
const REQUIRED = 'This server speaks TLS only.\r\n';

/** The sink of the connection until then. */
export function askForTls({ connection, context, isRequired, silenceMs, maxMs, serve }: StartTlsParts): Sink {
  const { clock, log } = context;
  const engine = createEngine();
  /** What came meanwhile, for a session in clear to read. */
  const received: Uint8Array[] = [];
  let receivedBytes = 0;
  let state: 'asking' | 'agreed' | 'over' = 'asking';

  const goOn = (): void => {
    if (state === 'over') return;
    state = 'over';
    timer.cancel();
    if (isRequired) {
      connection.end(REQUIRED, 'latin1', 'protocol-error');
      return;
    }
    const sink = serve();
    connection.attach(sink);
    for (const chunk of received) sink.data(chunk);
  };
  const upgrade = async (unreadBytes: number): Promise<void> => {
    state = 'over';
    timer.cancel();
    connection.send(START_TLS_FOLLOWS);
    try {
      await connection.startTls({ unreadBytes });
    } catch (error) {
      log.info({ err: error, connection: connection.id }, 'the TLS handshake failed');
      connection.destroy();
      return;
    }
    connection.attach(serve());
  };

  const act = (event: EngineEvent, isLast: boolean): void => {
    if (event.type === 'option' && event.side === 'peer' && event.option === STARTTLS) {
      if (!event.enabled) goOn();
      else if (state === 'asking') {
        state = 'agreed';
        timer.cancel();
        timer = clock.after(maxMs, goOn);
      }
    } else if (event.type === 'subnegotiation' && event.option === STARTTLS && isStartTlsFollows(event.payload))
      void upgrade(isLast ? 0 : 1);
  };

  for (const event of engine.ask('peer', STARTTLS, true)) if (event.type === 'send') connection.send(event.bytes);
  let timer = clock.after(silenceMs, goOn);

  return {
    data(chunk) {
      if (!isRequired) received.push(chunk);
      receivedBytes += chunk.length;
      const events = engine.receive(chunk, clock.nowMs());
      for (const [index, event] of events.entries()) if (state !== 'over') act(event, index === events.length - 1);
      // A user types: it is no client that has to be waited for.
      if (state === 'asking' && events.some(({ type }) => type === 'data')) goOn();
      if (receivedBytes > MAX_BYTES_BEFORE_TLS) goOn();
    },
    closed() {
      state = 'over';
      timer.cancel();
    },
  };
}

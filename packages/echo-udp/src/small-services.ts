// The other small services of inetd, and STAMP's reflector, as rows of one table. None of them runs unless it is named.
//
// Those that answer datagrams stand behind the same guard as echo. Character generation is not offered over UDP: it
// would answer one byte with hundreds (CVE-1999-0103).

import {
  defineProtocol,
  type Clock,
  type Connection,
  type Protocol,
  type ServiceContext,
  type Sink,
} from '@wellknown/core';
import { guardedDatagrams, type Answer, type GuardOptions } from './datagram-guard.ts';
import { reflectStamp } from './stamp.ts';

interface SmallService {
  readonly port: number;
  readonly rfc: string;
  readonly help: string;
  readonly open?: (connection: Connection, context: ServiceContext) => Sink;
  /** The answer to a datagram; `none` never answers. */
  readonly answer?: 'none' | ((context: ServiceContext) => Answer);
}

export const SMALL_SERVICES = {
  discard: { port: 9, rfc: '863', help: 'takes everything and says nothing', open: () => discardSink, answer: 'none' },
  daytime: {
    port: 13,
    rfc: '867',
    help: 'tells the time in words',
    open: (connection, { clock }) => sayOnce(connection, daytimeText(clock)),
    answer:
      ({ clock }) =>
      (): Uint8Array =>
        daytimeText(clock),
  },
  chargen: {
    port: 19,
    rfc: '864',
    help: 'sends characters until the peer goes; TCP only',
    open: (connection, { clock }) => generateCharacters(connection, clock),
  },
  time: {
    port: 37,
    rfc: '868',
    help: 'tells the seconds since 1900 in four bytes',
    open: (connection, { clock }) => sayOnce(connection, timeBytes(clock)),
    answer:
      ({ clock }) =>
      (): Uint8Array =>
        timeBytes(clock),
  },
  stamp: {
    port: 862,
    rfc: '8762',
    help: 'reflects measurement datagrams with timestamps; UDP only',
    answer: ({ clock }) => stampAnswer(clock),
  },
} as const satisfies Record<string, SmallService>;

export type SmallServiceName = keyof typeof SMALL_SERVICES;
export const SMALL_SERVICE_NAMES = Object.keys(SMALL_SERVICES) as readonly SmallServiceName[];

/** One of the small services, for `createServer`. */
export function smallServiceProtocol(name: SmallServiceName, options: GuardOptions = {}): Protocol {
  const { port, open, answer }: SmallService = SMALL_SERVICES[name];
  return defineProtocol({
    name,
    port,
    ...(open === undefined ? {} : { open }),
    ...(answer === undefined
      ? {}
      : { datagrams: answer === 'none' ? () => () => undefined : guardedDatagrams(options, answer) }),
  });
}

const discardSink: Sink = { data: () => undefined };

/** The service speaks, and what the peer says is thrown away. */
function sayOnce(connection: Connection, words: Uint8Array): Sink {
  connection.end(words);
  return discardSink;
}

/** RFC 867 asks for no format but printable ASCII on a line. */
const daytimeText = (clock: Clock): Uint8Array =>
  new TextEncoder().encode(`${new Date(clock.wallMs()).toUTCString()}\r\n`);

const SECONDS_1900_TO_1970 = 2_208_988_800;

function timeBytes(clock: Clock): Uint8Array {
  const bytes = new Uint8Array(4);
  // The count starts again in 2036.
  new DataView(bytes.buffer).setUint32(0, (Math.floor(clock.wallMs() / 1000) + SECONDS_1900_TO_1970) % 2 ** 32);
  return bytes;
}

// RFC 864's usual pattern: lines of 72 of the 95 printable characters, each line one further.
const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
const CHARACTERS = Uint8Array.from(
  Array.from({ length: 95 }, (_, line) => `${(PRINTABLE + PRINTABLE).slice(line, line + 72)}\r\n`).join(''),
  (character) => character.charCodeAt(0),
);
// 700 kB a second for each connection: no client needs more, and one that reads fast cannot keep the process busy.
const CHARACTERS_EVERY_MS = 10;

function generateCharacters(connection: Connection, clock: Clock): Sink {
  let isOver = false;
  let hasRoom = true;
  const timer = clock.every(CHARACTERS_EVERY_MS, () => {
    if (hasRoom && !isOver) hasRoom = connection.send(CHARACTERS);
  });
  const stop = (): void => {
    isOver = true;
    timer.cancel();
  };
  hasRoom = connection.send(CHARACTERS);
  return {
    data: () => undefined,
    drained: () => (hasRoom = true),
    doing: () => 'generating characters',
    drain() {
      stop();
      connection.shutdown('write');
    },
    closed: stop,
  };
}

// Between two looks at the wall clock the monotonic one counts, since it tells fractions of a millisecond.
const WALL_CLOCK_EVERY_MS = 1_000;

function stampAnswer(clock: Clock): Answer {
  let offsetMs = clock.wallMs() - clock.nowMs();
  let refreshAtMs = clock.nowMs() + WALL_CLOCK_EVERY_MS;
  const wallMs = (): number => clock.nowMs() + offsetMs;
  return (message) => {
    const nowMs = clock.nowMs();
    if (nowMs >= refreshAtMs) {
      offsetMs = clock.wallMs() - nowMs;
      refreshAtMs = nowMs + WALL_CLOCK_EVERY_MS;
    }
    return reflectStamp(message, nowMs + offsetMs, wallMs);
  };
}

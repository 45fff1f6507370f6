// A client of HTTP/2 that writes frames by hand, for what no library would send.

import type net from 'node:net';
import tls from 'node:tls';

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
// :method GET, :scheme https, :path /, and a literal :authority (RFC 7541 §6.2.2).
export const GET_BLOCK = Buffer.from([0x82, 0x87, 0x84, 0x01, 0x01, 0x61]);
/** The same with POST. */
export const POST_BLOCK = Buffer.from([0x83, 0x87, 0x84, 0x01, 0x01, 0x61]);

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** A field as a literal with a name of its own (RFC 7541 §6.2), its octets as they are. */
export function literal(name: string, value: string, kind = 0x00): Buffer {
  const string = (text: string): Buffer => {
    const octets = Buffer.from(text, 'latin1');
    const length: number[] = [];
    if (octets.length < 0x7f) length.push(octets.length);
    else {
      length.push(0x7f);
      let rest = octets.length - 0x7f;
      for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) length.push(0x80 | (rest % 0x80));
      length.push(rest);
    }
    return Buffer.concat([Buffer.from(length), octets]);
  };
  return Buffer.concat([Buffer.from([kind]), string(name), string(value)]);
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** What a client says first: the preface, and an empty SETTINGS frame. */
export const OPENING = Buffer.concat([Buffer.from(PREFACE), frame(FRAME.settings, 0, 0)]);

/** The frames of a server, read from its bytes. Answers for the client what has to be answered: SETTINGS and PING. */
export class ReceivedFrames {
  readonly frames: Frame[] = [];
  answersPings = true;
  readonly #answer: (bytes: Buffer) => void;
  #rest = Buffer.alloc(0);

  constructor(answer: (bytes: Buffer) => void) {
    this.#answer = answer;
  }

  push(chunk: Uint8Array): void {
    let rest = Buffer.concat([this.#rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3);
      const received = {
        type: rest[3] ?? 0,
        flags: rest[4] ?? 0,
        streamId: rest.readUInt32BE(5),
        payload: rest.subarray(9, end),
      };
      rest = rest.subarray(end);
      this.frames.push(received);
      if (received.type === FRAME.settings && received.flags === 0) this.#answer(frame(FRAME.settings, FLAG.ack, 0));
      if (received.type === FRAME.ping && received.flags === 0 && this.answersPings)
        this.#answer(frame(FRAME.ping, FLAG.ack, 0, received.payload));
    }
    this.#rest = rest;
  }
}

/** The client of a server in another process, or this one, over TLS. */
export interface RawHttp2 {
  readonly socket: tls.TLSSocket;
  send(...frames: Uint8Array[]): void;
  /** From now on PINGs stay without an answer. */
  ignorePings(): void;
  /** Every frame so far. */
  readonly frames: readonly Frame[];
  /** Resolves with the first frame that fits, or undefined when the connection ends without one. */
  until(fits: (frame: Frame) => boolean): Promise<Frame | undefined>;
  readonly closed: Promise<void>;
  /** What broke the connection, where something did. */
  failure(): Error | undefined;
}

export const isGoaway = ({ type }: Frame): boolean => type === FRAME.goaway;
export const isEndOf =
  (streamId: number) =>
  (sent: Frame): boolean =>
    sent.streamId === streamId &&
    (sent.type === FRAME.data || sent.type === FRAME.headers) &&
    (sent.flags & FLAG.endStream) !== 0;
export const errorCodeOf = (goaway: Frame | undefined): number | undefined => goaway?.payload.readUInt32BE(4);
/** A request without content. */
export const get = (streamId: number): Buffer =>
  frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, streamId, GET_BLOCK);

/**
 * Connects, and says the preface and an empty SETTINGS frame; acknowledges the server's, and its PINGs. `over` is a
 * connection in clear that is there already: then `first` leaves with the end of the handshake, before anything of the
 * server has come.
 */
export async function connectRaw(
  port: number,
  over?: { readonly socket: net.Socket; readonly first: Uint8Array },
): Promise<RawHttp2> {
  const options = { rejectUnauthorized: false, ALPNProtocols: ['h2'] };
  const socket = tls.connect(
    over === undefined ? { ...options, port, host: '127.0.0.1' } : { ...options, socket: over.socket },
  );
  let failure: Error | undefined;
  socket.on('error', (error: Error) => (failure = error));
  socket.write(Buffer.concat([OPENING, over?.first ?? Buffer.alloc(0)]));
  let isOver = false;
  const received = new ReceivedFrames((bytes) => socket.write(bytes));
  const looks = new Set<() => void>();
  socket.on('data', (chunk: Buffer) => {
    received.push(chunk);
    for (const look of looks) look();
  });
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      isOver = true;
      for (const look of looks) look();
      resolve();
    }),
  );
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return {
    socket,
    frames: received.frames,
    closed,
    failure: () => failure,
    send(...given) {
      if (!socket.destroyed) socket.write(Buffer.concat(given));
    },
    ignorePings: () => void (received.answersPings = false),
    until: (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = received.frames.find(fits);
          if (found === undefined && !isOver) return;
          looks.delete(look);
          resolve(found);
        };
        looks.add(look);
        look();
      }),
  };
}

// The datagrams that a probe sends, and what it makes of those that come back. To an echo: a number drawn for this run,
// the sequence number, and a pattern, so that an answer to another run, a changed byte or a cut tail is noticed. To a
// STAMP reflector: RFC 8762's.

import { readNtpTimestamp, STAMP_BYTES, writeStampRequest } from './stamp.ts';

export type ProbeKind = 'echo' | 'stamp';

/** What comes back: the probe's sequence number, and the time that the reflector says it has spent. */
export interface ProbeAnswer {
  readonly sequence: number;
  readonly insideMs: number;
}

const ECHO_HEADER_BYTES = 12;

/** The shortest probe of each kind. */
export const MIN_PROBE_BYTES: Readonly<Record<ProbeKind, number>> = { echo: ECHO_HEADER_BYTES, stamp: STAMP_BYTES };

export interface ProbeFormat {
  write(sequence: number, wallMs: number): Uint8Array;
  /** Undefined for what is no unchanged answer to a probe of this run. */
  read(answer: Uint8Array): ProbeAnswer | undefined;
}

const patternByte = (sequence: number, index: number): number => (sequence * 7 + index * 31) & 255;

/** `run` tells this run's probes from those of another one. */
export function probeFormat(kind: ProbeKind, bytes: number, run: readonly [number, number]): ProbeFormat {
  const fill = (message: Uint8Array, sequence: number, from: number): Uint8Array => {
    for (let index = from; index < message.length; index += 1) message[index] = patternByte(sequence, index);
    return message;
  };
  const isIntact = (answer: Uint8Array, sequence: number, from: number): boolean =>
    answer.length === bytes && answer.every((byte, index) => index < from || byte === patternByte(sequence, index));
  const viewOf = (message: Uint8Array): DataView =>
    new DataView(message.buffer, message.byteOffset, message.byteLength);

  if (kind === 'stamp') {
    return {
      write(sequence, wallMs) {
        const message = fill(new Uint8Array(bytes), sequence, STAMP_BYTES);
        writeStampRequest(message, sequence, wallMs);
        return message;
      },
      read(answer) {
        if (answer.length < STAMP_BYTES) return undefined;
        const view = viewOf(answer);
        const sequence = view.getUint32(24);
        return isIntact(answer, sequence, STAMP_BYTES)
          ? { sequence, insideMs: Math.max(0, readNtpTimestamp(view, 4) - readNtpTimestamp(view, 16)) }
          : undefined;
      },
    };
  }
  return {
    write(sequence) {
      const message = fill(new Uint8Array(bytes), sequence, ECHO_HEADER_BYTES);
      const view = viewOf(message);
      view.setUint32(0, run[0]);
      view.setUint32(4, run[1]);
      view.setUint32(8, sequence);
      return message;
    },
    read(answer) {
      if (answer.length < ECHO_HEADER_BYTES) return undefined;
      const view = viewOf(answer);
      const sequence = view.getUint32(8);
      return view.getUint32(0) === run[0] >>> 0 &&
        view.getUint32(4) === run[1] >>> 0 &&
        isIntact(answer, sequence, ECHO_HEADER_BYTES)
        ? { sequence, insideMs: 0 }
        : undefined;
    },
  };
}

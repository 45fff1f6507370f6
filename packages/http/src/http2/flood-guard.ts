// The frames of a client that cost work and bring nothing, counted as they come. Bytes in, what is too much out; no
// socket, no clock.
//
// It reads the heads of frames, hands header sections to the counter of fields, and skips the rest, before node:http2
// sees any of it: a flood that fits into one read costs no handler a call, and every version of Node is protected alike.
// Whether a frame makes sense is not its question: streams that the peer makes us reset by frames that make none are told
// to it (CVE-2025-8671).

import { FieldCounter } from './field-count.ts';
import { FrameHeads } from './frames.ts';
import type { HttpLimits } from '../limits.ts';

/** What can be too much: streams that are reset, by the client or because of it, or PING, SETTINGS, PRIORITY and empty DATA. */
export type Flood = 'resets' | 'control-frames';

const PREFACE_BYTES = 24;
const DATA = 0;
const END_STREAM = 1;
// RFC 9113 §6: PRIORITY, RST_STREAM, SETTINGS, PING. CONTINUATION is bounded by nghttp2, for each header section.
const FLOOD_BY_TYPE: Readonly<Partial<Record<number, Flood>>> = {
  2: 'control-frames',
  3: 'resets',
  4: 'control-frames',
  6: 'control-frames',
};

export class FloodGuard {
  readonly #limits: HttpLimits;
  readonly #heads = new FrameHeads(PREFACE_BYTES);
  /** Of the header sections in the bytes so far. */
  readonly fields = new FieldCounter();
  #counts: Record<Flood, number> = { resets: 0, 'control-frames': 0 };
  #causedResets = 0;
  #intervalStartMs = -Infinity;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
  }

  /**
   * Counts the frames whose heads end in this chunk. What it names is over its limit: the chunk is not to be taken.
   * `causedResets`: how many streams the peer has made us reset until now.
   */
  push(bytes: Uint8Array, nowMs: number, causedResets: number): Flood | undefined {
    if (nowMs - this.#intervalStartMs >= this.#limits.floodIntervalMs) {
      this.#intervalStartMs = nowMs;
      this.#counts = { resets: 0, 'control-frames': 0 };
    }
    this.#counts.resets += causedResets - this.#causedResets;
    this.#causedResets = causedResets;
    let excess: Flood | undefined = this.#isTooMuch('resets') ? 'resets' : undefined;
    const { fields } = this;
    this.#heads.push(
      bytes,
      (type, flags, length, _end, streamId) => {
        excess ??= this.#countFrame(type, flags, length);
        fields.frame(type, flags, length, streamId);
      },
      (piece) => fields.payload(piece),
    );
    return excess;
  }

  #countFrame(type: number, flags: number, length: number): Flood | undefined {
    const isEmptyData = type === DATA && length === 0 && (flags & END_STREAM) === 0;
    const flood = isEmptyData ? 'control-frames' : FLOOD_BY_TYPE[type];
    if (flood === undefined) return undefined;
    this.#counts[flood] += 1;
    return this.#isTooMuch(flood) ? flood : undefined;
  }

  #isTooMuch(flood: Flood): boolean {
    return this.#counts[flood] > maxOf(flood, this.#limits);
  }
}

/** How many of them an interval may see. */
export const maxOf = (flood: Flood, limits: HttpLimits): number =>
  flood === 'resets' ? limits.maxResets : limits.maxControlFrames;

// The recording of one session, while it goes on.

import type { Clock } from '@wellknown/core';
import { asciicastEvent, asciicastHeader, type AsciicastCode } from './asciicast.ts';

/** A writable stream, or anything that takes text. */
export interface RecordingSink {
  write(text: string): unknown;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  /** What waits in it, as streams say it. */
  readonly writableLength?: number;
}

export interface RecordOptions {
  readonly title?: string;
}

export interface Recorder {
  output(data: string | Uint8Array): void;
  resized(columns: number, rows: number): void;
  stop(): void;
}

export interface RecorderParts {
  readonly clock: Clock;
  /** Nothing is recorded while it says true. */
  readonly isMasked: () => boolean;
  readonly terminal: { readonly columns: number; readonly rows: number; readonly type: string };
}

// A sink that has this much to write down is behind for good; what it misses is marked.
const MAX_WAITING_LENGTH = 1024 * 1024;

export function createRecorder(
  sink: RecordingSink,
  options: RecordOptions,
  { clock, terminal, isMasked }: RecorderParts,
): Recorder {
  const startMs = clock.nowMs();
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  let lost = 0;
  let isOver = false;

  const put = (line: string): void => {
    try {
      sink.write(line);
    } catch {
      isOver = true;
    }
  };
  const event = (code: AsciicastCode, data: string): void => {
    if (isOver || data === '') return;
    if ((sink.writableLength ?? 0) > MAX_WAITING_LENGTH) {
      lost += 1;
      return;
    }
    if (lost > 0) put(asciicastEvent(clock.nowMs() - startMs, 'm', `${lost} events were lost`));
    lost = 0;
    put(asciicastEvent(clock.nowMs() - startMs, code, data));
  };
  const output = (data: string | Uint8Array): void => {
    // Decoded in any case, so that a character which began before a mask ends behind it. A CR that ends no line travels as
    // CR NUL; of that the NUL is nobody's.
    const text =
      typeof data === 'string'
        ? data.replace(/\r?\n/g, '\r\n')
        : utf8.decode(data, { stream: true }).replaceAll('\0', '');
    if (!isMasked()) event('o', text);
  };

  sink.on?.('error', () => (isOver = true));
  put(
    asciicastHeader({
      columns: terminal.columns,
      rows: terminal.rows,
      startedAtMs: clock.wallMs(),
      terminalType: terminal.type,
      title: options.title,
    }),
  );
  return {
    output,
    resized: (columns, rows) => event('r', `${columns}x${rows}`),
    stop: () => void (isOver = true),
  };
}

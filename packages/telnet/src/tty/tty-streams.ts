// A session as standard input and output, for programs that are made for a terminal: node:readline, node:repl, ink.

import { clearLine, clearScreenDown, cursorTo, moveCursor, type Direction } from 'node:readline';
import { Readable, Writable } from 'node:stream';
import { WriteStream } from 'node:tty';
import type { RawInput } from '../input.ts';
import { createProgramOutput } from '../program/program-output.ts';
import type { Terminal } from '../terminal.ts';

/** What the streams need of a session. */
export interface TtyParts {
  /** The client sends every key. */
  readonly isTerminal: () => boolean;
  readonly terminal: () => Terminal;
  readonly openRaw: () => RawInput;
  /** A line that we edit, for a terminal that is not in raw mode; undefined when it was cancelled, or at the end. */
  readonly readLine: () => Promise<string | undefined>;
  readonly cancelLine: () => void;
  readonly write: (data: string | Uint8Array) => Promise<void>;
  readonly binary: () => boolean;
  readonly onResize: (listener: () => void) => () => void;
}

const encoder = new TextEncoder();
const CR = 13;
const LF = 10;

/** Standard input. Reads the session only while someone reads it. */
export class TtyInput extends Readable {
  readonly #parts: TtyParts;
  #raw: RawInput | undefined;
  #isRaw = false;
  /** How often a read was given up for another mode. */
  #stops = 0;
  #isReading = false;

  constructor(parts: TtyParts) {
    super({ highWaterMark: 0 });
    this.#parts = parts;
  }

  get isTTY(): boolean {
    return this.#parts.isTerminal();
  }

  get isRaw(): boolean {
    return this.#isRaw;
  }

  /** In raw mode every key is data at once; otherwise lines are, which the user may edit. */
  setRawMode(isRaw: boolean): this {
    if (isRaw === this.#isRaw) return this;
    this.#isRaw = isRaw;
    this.#stopReading();
    return this;
  }

  /** As of a terminal. A session keeps the process alive by its connection. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override pause(): this {
    super.pause();
    return this;
  }

  override _read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    // Somebody else reads from the session: that is an error of this stream, not of the process.
    this.#readOnce().catch((error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stopReading();
    callback(error);
  }

  #stopReading(): void {
    this.#stops += 1;
    this.#raw?.close();
    this.#raw = undefined;
    this.#parts.cancelLine();
  }

  async #readOnce(): Promise<void> {
    for (;;) {
      const wasRaw = this.#isRaw;
      const stops = this.#stops;
      const bytes = await (!wasRaw && this.isTTY ? this.#readEdited() : this.#readBytes(wasRaw));
      if (this.destroyed) return;
      // Given up since the mode has changed: there may be more in the other one.
      if (bytes === undefined && stops !== this.#stops) continue;
      this.#isReading = false;
      this.push(bytes ?? null);
      return;
    }
  }

  async #readEdited(): Promise<Uint8Array | undefined> {
    const line = await this.#parts.readLine();
    return line === undefined ? undefined : encoder.encode(`${line}\n`);
  }

  /** Keys as they are; of a client in line mode, its lines. */
  async #readBytes(isRaw: boolean): Promise<Uint8Array | undefined> {
    this.#raw ??= this.#parts.openRaw();
    const bytes = await this.#raw.read();
    return isRaw ? bytes : bytes?.map((byte) => (byte === CR ? LF : byte));
  }
}

type Done = () => void;

/** Standard output. */
export class TtyOutput extends Writable {
  readonly #parts: TtyParts;
  readonly #bytes;

  constructor(parts: TtyParts) {
    super({ decodeStrings: false });
    this.#parts = parts;
    this.#bytes = createProgramOutput({ addsReturns: true, binary: parts.binary });
    // For as long as the session: it drops its listeners at its end.
    parts.onResize(() => this.emit('resize'));
  }

  get isTTY(): boolean {
    return this.#parts.isTerminal();
  }

  get columns(): number {
    return this.#parts.terminal().columns;
  }

  get rows(): number {
    return this.#parts.terminal().rows;
  }

  getWindowSize(): [columns: number, rows: number] {
    return [this.columns, this.rows];
  }

  /** The bits of a colour, by the type of the client's terminal. */
  getColorDepth(): number {
    const { type, environment } = this.#parts.terminal();
    const colorTerm = environment.get('COLORTERM');
    return WriteStream.prototype.getColorDepth({
      TERM: type,
      ...(colorTerm === undefined ? {} : { COLORTERM: colorTerm }),
    });
  }

  hasColors(count: number | object = 16): boolean {
    return (typeof count === 'number' ? count : 16) <= 2 ** this.getColorDepth();
  }

  cursorTo(x: number, y?: number | Done, done?: Done): boolean {
    return typeof y === 'number' ? cursorTo(this, x, y, done) : cursorTo(this, x, undefined, y);
  }

  moveCursor(dx: number, dy: number, done?: Done): boolean {
    return moveCursor(this, dx, dy, done);
  }

  clearLine(direction: Direction, done?: Done): boolean {
    return clearLine(this, direction, done);
  }

  clearScreenDown(done?: Done): boolean {
    return clearScreenDown(this, done);
  }

  override _write(chunk: string | Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#parts.write(typeof chunk === 'string' ? chunk : this.#bytes.push(chunk)).then(() => done(), done);
  }
}

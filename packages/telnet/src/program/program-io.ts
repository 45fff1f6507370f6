// A program and the ends of its input and output that we hold: a pseudo-terminal, or pipes where none can be had.

/** What to run. Nothing in it comes from the network. */
export interface ProgramCommand {
  /** A path. No shell reads it. */
  readonly file: string;
  readonly arguments: readonly string[];
  /** The whole environment: the program inherits nothing. */
  readonly environment: Readonly<Record<string, string>>;
  /** The working directory; undefined: the server's own. */
  readonly directory?: string | undefined;
  readonly columns: number;
  readonly rows: number;
}

export interface ProgramStatus {
  /** Undefined when a signal ended it, or it has not ended. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

export interface ProgramEvents {
  /** `bytes` is the receiver's. */
  readonly output: (bytes: Uint8Array) => void;
  /** It takes input again, after a `write` that returned false. */
  readonly drained: () => void;
  /**
   * The last output has been given out. Once, and nothing is called after it. Never before `startProgram` returns. With an
   * error when it turned out only then that it can't be started.
   */
  readonly ended: (status: ProgramStatus, error?: Error) => void;
}

export interface RunningProgram {
  readonly kind: 'pty' | 'pipes';
  readonly pid: number;
  /** False when it should have no more until `drained`. What comes after its end is dropped. */
  write(bytes: Uint8Array): boolean;
  /** Stops and goes on reading its output: the program waits once the kernel's buffer is full. */
  pause(): void;
  resume(): void;
  /** Safe at any time, also after the end. */
  resize(columns: number, rows: number): void;
  /** No more input will come. On a PTY that is ^D, which means the end at the beginning of a line alone. */
  endInput(): void;
  /** ^C: a key on a PTY, SIGINT to the process group otherwise. */
  interrupt(): void;
  /**
   * The terminal is gone: SIGHUP to its process groups, and SIGKILL to what is left of them after five seconds, or when
   * this process exits. `ended` follows once the program is gone, if it was not called before. Safe at any time.
   */
  hangUp(): void;
}

/** Starts a program. Throws what the system says when it can't be started. */
export type StartProgram = (command: ProgramCommand, events: ProgramEvents) => RunningProgram;

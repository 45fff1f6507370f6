// One error class for everything that core throws. What a caller may expect in ordinary operation is a value instead
// (see result.ts); an error here means a promise was broken, and `fault` says which side broke it.

/** `local`: the program using core. `remote`: the peer. `system`: the operating system or its configuration. */
export type Fault = 'local' | 'remote' | 'system';

/** Stable, documented in docs/errors.md. */
export type ErrorCode =
  | 'ENDPOINT_INVALID'
  | 'OPTION_INVALID'
  | 'ADDRESS_IN_USE'
  | 'ADDRESS_NOT_AVAILABLE'
  | 'PERMISSION_DENIED'
  | 'NAME_NOT_FOUND'
  | 'BIND_FAILED'
  | 'WRONG_STATE'
  | 'CONNECTION_CLOSED'
  | 'CONNECT_FAILED'
  | 'SEND_FAILED'
  | 'LINE_TOO_LONG'
  | 'TLS_FAILED'
  | 'EARLY_PLAINTEXT'
  | 'PROXY_HEADER_INVALID'
  | 'WORKERS_NEVER_READY'
  | 'PRIVILEGES_KEPT'
  | 'RELOAD_FAILED'
  | 'SCALE_FAILED'
  | 'UPGRADE_FAILED'
  | 'UNSUPPORTED';

/** The code that the system gives its errors, such as ENOENT; empty for any other. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

export interface ErrorDetails {
  readonly fault: Fault;
  /** What the reader of the message can do about it. Appended to the message. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Every error that core throws: a stable `code`, whose `fault` it is, and a message for a person. */
export class WellknownError extends Error {
  readonly code: ErrorCode;
  readonly fault: Fault;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(details.hint === undefined ? message : `${message}: ${details.hint}`, { cause: details.cause });
    this.name = 'WellknownError';
    this.code = code;
    this.fault = details.fault;
    this.hint = details.hint;
  }
}

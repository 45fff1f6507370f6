// A handler whose sessions are recorded, each in a file of its own.

import path from 'node:path';
import { formatAddress } from '@wellknown/core/endpoint';
import { systemClock, type Clock } from '@wellknown/core';
import type { TelnetHandler } from '../connection.ts';
import type { TelnetSession } from '../session.ts';
import { openRecordingFile, type RecordingFile } from './recording-file.ts';

export interface RecordSessionsOptions {
  /** A folder that is there. */
  readonly directory: string;
  /** Told once of a session that is not recorded, or not from here on; the session goes on. */
  readonly failed?: (session: TelnetSession, error: unknown) => void;
  readonly clock?: Clock;
}

/**
 * Runs `handler`, and records what each client is shown as an asciicast (version 2):
 * `DIRECTORY/TIME-PROCESS-SESSION.cast`, which its owner alone may read. While a password is asked for, nothing is
 * recorded. The handler starts once `session.ready` has resolved, so that the size and type of the terminal are in it.
 */
export function recordSessions(
  handler: TelnetHandler,
  { directory, failed, clock = systemClock }: RecordSessionsOptions,
): TelnetHandler {
  return async (session) => {
    await session.ready;
    const begun = new Date(clock.wallMs()).toISOString().replaceAll(':', '-');
    const name = `${begun}-${process.pid}-${session.id}.cast`;
    let file: RecordingFile;
    try {
      file = openRecordingFile(path.join(directory, name), clock, (error) => failed?.(session, error));
    } catch (error) {
      failed?.(session, error);
      return handler(session);
    }
    const { remote, signal } = session;
    const stop = session.record(file, {
      title: remote.family === 'unix' ? 'telnet' : `telnet ${formatAddress(remote)}`,
    });
    const end = (): void => {
      stop();
      file.close();
    };
    // At the end of the connection: its process may end before the handler does.
    signal.addEventListener('abort', end, { once: true });
    try {
      await handler(session);
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  };
}

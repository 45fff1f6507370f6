// Telling systemd how the service is (sd_notify(3)). Node cannot send unix datagrams, so systemd's own program does;
// without NOTIFY_SOCKET nothing happens. The unit needs NotifyAccess=all.

import { spawn, type ChildProcess } from 'node:child_process';
import type { Clock, Timer } from '../time/clock.ts';
import type { Logger } from '../log.ts';

export interface SdNotifier {
  /** `READY=1`, `RELOADING=1`, `STOPPING=1`, `STATUS=…`, `MAINPID=…`. */
  notify(...assignments: readonly string[]): void;
  /** Resolves once everything has been said, or after two seconds: the last word is that the service stops. */
  close(): Promise<void>;
}

// A systemd-notify takes some milliseconds; a service that ends does not wait long for one that hangs.
const LAST_WORD_TIMEOUT_MS = 2_000;
const SEND_TIMEOUT_MS = 5_000;

/** Never blocks and never throws: a service manager that does not listen must not stop the service. */
export function createSdNotifier(
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  log: Logger,
): SdNotifier {
  if (environment.NOTIFY_SOCKET === undefined) return { notify: () => undefined, close: () => Promise.resolve() };
  // One after the other: a READY that overtakes its RELOADING would leave the service reloading for ever.
  const queue: (readonly string[])[] = [];
  let sending: ChildProcess | undefined;
  let isClosing = false;
  let allSaid: () => void = () => undefined;
  const sendNext = (): void => {
    const assignments = queue.shift();
    if (assignments === undefined) {
      sending = undefined;
      allSaid();
      return;
    }
    // --no-block: otherwise it waits five seconds for an answer that may not come. One that hangs must not hold the
    // others back.
    const child = (sending = spawn('systemd-notify', ['--no-block', `--pid=${process.pid}`, ...assignments], {
      stdio: 'ignore',
      timeout: SEND_TIMEOUT_MS,
    }));
    child.once('error', (error) => {
      log.warn({ err: error }, 'systemd could not be notified');
      sendNext();
    });
    child.once('exit', sendNext);
    if (!isClosing) child.unref();
  };
  const notify = (...assignments: readonly string[]): void => {
    queue.push(assignments);
    if (sending === undefined) sendNext();
  };
  const watchdogMs = Number(environment.WATCHDOG_USEC) / 1000;
  // Twice in each period, as sd_watchdog_enabled(3) advises.
  const watchdog: Timer | undefined =
    watchdogMs > 0 ? clock.every(watchdogMs / 2, () => notify('WATCHDOG=1')) : undefined;
  const close = async (): Promise<void> => {
    watchdog?.cancel();
    isClosing = true;
    if (sending === undefined) return;
    // Nothing else may keep the process alive by now.
    sending.ref();
    await new Promise<void>((resolve) => {
      const timer = clock.after(LAST_WORD_TIMEOUT_MS, resolve);
      allSaid = () => {
        timer.cancel();
        resolve();
      };
    });
  };
  return { notify, close };
}

/** The assignments of a reload that begins; systemd compares the time with its own (Type=notify-reload). */
export const reloadingAssignments = (): readonly string[] => [
  'RELOADING=1',
  `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`,
];

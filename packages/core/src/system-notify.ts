// Telling systemd how the service is (sd_notify(3)). Node cannot send unix datagrams, so systemd's own program does; without
// NOTIFY_SOCKET nothing happens. The unit needs NotifyAccess=all.

import { spawn } from 'node:child_process';
import type { Clock, Timer } from './clock.ts';
import type { Logger } from './log.ts';

export interface SystemNotifier {
  /** `READY=1`, `RELOADING=1`, `STOPPING=1`, `STATUS=…`, `MAINPID=…`. */
  notify(...assignments: readonly string[]): void;
  close(): void;
}

/** Never blocks and never throws: a service manager that does not listen must not stop the service. */
export function createSystemNotifier(environment: Readonly<Record<string, string | undefined>>, clock: Clock, log: Logger): SystemNotifier {
  if (environment.NOTIFY_SOCKET === undefined) return { notify: () => undefined, close: () => undefined };
  // One after the other: a READY that overtakes its RELOADING would leave the service reloading for ever.
  const queue: (readonly string[])[] = [];
  let isBusy = false;
  const sendNext = (): void => {
    const assignments = queue.shift();
    isBusy = assignments !== undefined;
    if (assignments === undefined) return;
    // --no-block: otherwise it waits five seconds for an answer that may not come.
    const child = spawn('systemd-notify', ['--no-block', `--pid=${process.pid}`, ...assignments], { stdio: 'ignore' });
    child.once('error', (error) => {
      log.warn({ err: error }, 'systemd could not be notified');
      sendNext();
    });
    child.once('exit', sendNext);
    child.unref();
  };
  const notify = (...assignments: readonly string[]): void => {
    queue.push(assignments);
    if (!isBusy) sendNext();
  };
  const watchdogMs = Number(environment.WATCHDOG_USEC) / 1000;
  // Twice in each period, as sd_watchdog_enabled(3) advises.
  const watchdog: Timer | undefined = watchdogMs > 0 ? clock.every(watchdogMs / 2, () => notify('WATCHDOG=1')) : undefined;
  return { notify, close: () => watchdog?.cancel() };
}

/** The assignments of a reload that begins; systemd compares the time with its own (Type=notify-reload). */
export const reloadingAssignments = (): readonly string[] => ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`];

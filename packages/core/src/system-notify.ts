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
  const notify = (...assignments: readonly string[]): void => {
    // --no-block: otherwise it waits five seconds for an answer that may not come.
    const child = spawn('systemd-notify', ['--no-block', `--pid=${process.pid}`, ...assignments], { stdio: 'ignore' });
    child.on('error', (error) => log.warn({ err: error }, 'systemd could not be notified'));
    child.unref();
  };
  const watchdogMs = Number(environment.WATCHDOG_USEC) / 1000;
  // Twice in each period, as sd_watchdog_enabled(3) advises.
  const watchdog: Timer | undefined = watchdogMs > 0 ? clock.every(watchdogMs / 2, () => notify('WATCHDOG=1')) : undefined;
  return { notify, close: () => watchdog?.cancel() };
}

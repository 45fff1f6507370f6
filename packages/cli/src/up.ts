// `wellknown up`: all servers together under one supervisor.

import { pino } from 'pino';
import { systemClock } from '@wellknown/core';
import { defaultControlPath } from '@wellknown/core/control';
import {
  answer,
  describeCommand,
  endOnStop,
  logOf,
  parseServerArguments,
  runServices,
  usageError,
  type Help,
  type ServerCommand,
} from '@wellknown/core/cli';
import { upServices } from './up-services.ts';

const PROGRAM = 'wellknown up';

/** What it takes: the options of every server but those that only make sense for one. */
export const UP_COMMAND: Pick<ServerCommand, 'summary' | 'options' | 'schemes' | 'without' | 'examples'> = {
  summary: 'http, ftp, telnet and echo together under one supervisor, with safe defaults',
  examples: [
    { line: '--port-offset 8000', does: 'Start all of them, on this machine only: ports 8080, 8021, 8023 and 8007' },
    { line: '--workers 2 --log-level warn', does: 'On the well-known ports (as root), by two processes' },
    { line: '--port-offset 8000 --pid-file /tmp/up.pid', does: 'With a file that names the supervisor' },
  ],
  options: [],
  schemes: [],
  without: {
    listen: 'is for one server alone; here, --port-offset moves all of them',
    inetd: 'is for one server alone, which has the one connection',
  },
};

export const describeUp = (): Help => describeCommand(PROGRAM, UP_COMMAND);

/** Runs the command until its servers end, and sets the exit status. */
export async function runUp(argv: readonly string[]): Promise<void> {
  endOnStop();
  const request = parseServerArguments(argv, UP_COMMAND);
  if (!request.ok) {
    usageError(PROGRAM, request.error);
    return;
  }
  if (request.value.type !== 'serve') {
    answer(request.value.type, describeUp());
    return;
  }
  const { common } = request.value;
  await runServices(
    PROGRAM,
    upServices(common.portOffset, systemClock.wallMs(), common.idleTimeoutMs),
    common,
    logOf(common, pino).log,
    {
      controlIfFree: defaultControlPath(process.env, process.getuid?.() ?? 0),
      limits: () => import('@wellknown/redis-limits'),
    },
  );
}

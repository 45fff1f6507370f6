// What `up` has in common with a configuration and without one.

import type { Logger, NextServices, Protocol, Service } from '@wellknown/core';
import { defaultControlPath } from '@wellknown/core/control';
import { runServices, type CommonValues } from '@wellknown/core/cli';
import type { ConfigTexts, OptionTexts } from './config/option-texts.ts';

export const UP_PROGRAM = 'wellknown up';

/** Which file is served, for the process that takes over at an upgrade. */
export const FILE_VARIABLE = 'WELLKNOWN_CONFIG_FILE';

/** What a supervisor gives its workers: the configuration as it was read, or nothing where there is none. */
export interface UpData {
  readonly config?: ConfigTexts;
  readonly asked?: OptionTexts;
}

/** Serves until told to stop. */
export function serveUp(
  services: readonly Service[],
  common: CommonValues,
  log: Logger,
  workerData: UpData,
  loadProtocols?: () => Promise<readonly Protocol[]>,
  nextServices?: () => Promise<NextServices>,
): Promise<void> {
  return runServices(UP_PROGRAM, services, common, log, {
    controlIfFree: defaultControlPath(process.env, process.getuid?.() ?? 0),
    defaults: {
      workerData,
      ...(loadProtocols === undefined ? {} : { loadProtocols }),
      ...(nextServices === undefined ? {} : { nextServices }),
    },
    limits: () => import('@wellknown/redis-limits'),
  });
}

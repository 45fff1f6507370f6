// pino for the logs of all commands, loaded with the first line.

import { createRequire } from 'node:module';
import type { PinoSource } from '@wellknown/core/cli';
import type pino from 'pino';

const require = createRequire(import.meta.url);

/** What every command's log is made with. */
export const PINO: PinoSource = { load: () => require('pino') as typeof pino };

import { runCommand } from '@wellknown/core/cli';
import { pino } from 'pino';
import { ftpCommand } from './cli.ts';

await runCommand(ftpCommand, pino);

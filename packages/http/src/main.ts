import { runCommand } from '@wellknown/core/cli';
import { pino } from 'pino';
import { httpCommand } from './cli.ts';

await runCommand(httpCommand, pino);

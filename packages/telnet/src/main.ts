import { runCommand } from '@wellknown/core/cli';
import { pino } from 'pino';
import { telnetCommand } from './cli.ts';

await runCommand(telnetCommand, pino);

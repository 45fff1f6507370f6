import { runCommand } from '@wellknown/core/cli';
import { pino } from 'pino';
import { echoCommand } from './cli.ts';

await runCommand(echoCommand, pino, 'wellknown-echo-udp');

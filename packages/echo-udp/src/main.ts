import { runCommand } from '@wellknown/core/cli';
import { echoCommand } from './cli.ts';

await runCommand(echoCommand, 'wellknown-echo-udp');

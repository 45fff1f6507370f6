import { runCommand } from '@wellknown/core/command';
import { echoCommand } from './command.ts';

await runCommand(echoCommand, 'wellknown-echo-udp');

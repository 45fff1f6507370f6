import { runCommand } from '@wellknown/core/command';
import { telnetCommand } from './command.ts';

await runCommand(telnetCommand);

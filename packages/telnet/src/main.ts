import { runCommand } from '@wellknown/core/cli';
import { telnetCommand } from './cli.ts';

await runCommand(telnetCommand);

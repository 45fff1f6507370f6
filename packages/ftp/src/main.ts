import { runCommand } from '@wellknown/core/command';
import { ftpCommand } from './command.ts';

await runCommand(ftpCommand);

import { runCommand } from '@wellknown/core/cli';
import { ftpCommand } from './cli.ts';

await runCommand(ftpCommand);

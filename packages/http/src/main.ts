import { runCommand } from '@wellknown/core/cli';
import { httpCommand } from './cli.ts';

await runCommand(httpCommand);

import { runCommand } from '@wellknown/core/command';
import { httpCommand } from './command.ts';

await runCommand(httpCommand);

// No signal may find this program without a listener, so these are there before the rest is loaded.
import { holdSignals } from '@wellknown/core/early-signals';

holdSignals();
const [{ runCommand }, { pino }, { ftpCommand }] = await Promise.all([
  import('@wellknown/core/cli'),
  import('pino'),
  import('./cli.ts'),
]);
await runCommand(ftpCommand, pino);

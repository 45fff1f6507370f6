// No signal may find this program without a listener, so these are there before the rest is loaded.
import { holdSignals } from '@wellknown/core/early-signals';

holdSignals();
// Its workers take as long to start as it does itself: they come next.
const [{ keepCompiledCode }, { startFirstWorkers }, { mayHaveFirstWorkers }] = await Promise.all([
  import('@wellknown/core/compile-cache'),
  import('@wellknown/core/first-workers'),
  import('./first-workers.ts'),
]);
keepCompiledCode();
const [, , command, ...rest] = process.argv;
if (mayHaveFirstWorkers(command)) startFirstWorkers(rest);
const { run } = await import('./run.ts');
await run(process.argv.slice(2));

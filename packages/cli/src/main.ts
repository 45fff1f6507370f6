// No signal may find this program without a listener, so these are there before the rest is loaded.
import { holdSignals } from '@wellknown/core/early-signals';

holdSignals();
const { keepCompiledCode } = await import('@wellknown/core/compile-cache');
keepCompiledCode();
const { run } = await import('./run.ts');
await run(process.argv.slice(2));

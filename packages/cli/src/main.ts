// No signal may find this program without a listener, so these are there before the rest is loaded.
import { keepCompiledCode } from '@wellknown/core/compile-cache';
import { holdSignals } from '@wellknown/core/early-signals';

holdSignals();
keepCompiledCode();
const { run } = await import('./run.ts');
await run(process.argv.slice(2));

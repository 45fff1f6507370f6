// No signal may find this program without a listener, so these are there before the rest is loaded.
import { createRequire } from 'node:module';
import type pinoModule from 'pino';
import { holdSignals } from '@wellknown/core/early-signals';

holdSignals();
const { keepCompiledCode } = await import('@wellknown/core/compile-cache');
keepCompiledCode();
const require = createRequire(import.meta.url);
const [{ runCommand }, { echoCommand }] = await Promise.all([import('@wellknown/core/cli'), import('./cli.ts')]);
await runCommand(echoCommand, { load: () => require('pino') as typeof pinoModule }, 'wellknown-echo-udp');

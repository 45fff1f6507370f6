import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// As Node has them, which imports what is not of this repository: it knows no condition 'module'.
const conditions = ['@wellknown/source', 'node', 'import', 'default'];

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'examples/test/**/*.test.ts',
      'bench/test/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    // Tests of programs wait for other processes more than they compute; vitest's own choice on two cores is one worker.
    maxWorkers: availableParallelism() * 2,
    // A process for each file would load the sources again for each: a fifth of the CPU of a run.
    isolate: false,
    restoreMocks: true,
    // Before each run: bundles the programs that tests start.
    globalSetup: 'test/bundle-programs.ts',
    // Integration tests start real processes: a slow machine must not turn that into a failure.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { include: ['packages/*/src/**/*.ts'], reportsDirectory: 'coverage' },
  },
});

import { defineConfig } from 'vitest/config';

const conditions = ['@wellknown/source', 'module', 'node', 'import', 'default'];

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'examples/test/**/*.test.ts',
      'bench/test/**/*.test.ts',
      '.ci/**/*.test.ts',
    ],
    globalSetup: 'test/bundle-programs.ts',
    // Integration tests start real processes: a slow machine must not turn that into a failure.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    coverage: { include: ['packages/*/src/**/*.ts'], reportsDirectory: 'coverage' },
  },
});

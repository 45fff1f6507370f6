import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

// Parse, decide, carry: only carrying files touch sockets, timers, files and `process`. A new name in this list is a
// decision.
const CARRYING_FILES = [
  'packages/core/src/log.ts',
  'packages/core/src/stop-on-signals.ts',
  'packages/core/src/time/system-clock.ts',
  'packages/core/src/kernel/stream-handle.ts',
  'packages/core/src/kernel/datagram-handle.ts',
  'packages/core/src/kernel/accept-from.ts',
  'packages/core/src/kernel/readiness.ts',
  'packages/core/src/connection/net-transport.ts',
  'packages/core/src/connection/tls-context.ts',
  'packages/core/src/kernel/process-limits.ts',
  'packages/core/src/cli/tls-files.ts',
  'packages/core/src/address/datagram-endpoints.ts',
  'packages/core/src/datagram/peer.ts',
  'packages/core/src/socket/dial.ts',
  'packages/core/src/socket/udp-socket.ts',
  'packages/core/src/listener/listener.ts',
  'packages/core/src/supervisor/server-lifecycle.ts',
  'packages/core/src/supervisor/primary.ts',
  'packages/core/src/supervisor/primary-parts.ts',
  'packages/core/src/supervisor/primary-status.ts',
  'packages/core/src/supervisor/worker-process.ts',
  'packages/core/src/supervisor/primary-channel.ts',
  'packages/core/src/listener/inherited-descriptors.ts',
  'packages/core/src/kernel/socket-counters.ts',
  'packages/core/src/observe/event-loop-delay.ts',
  'packages/core/src/supervisor/privileges.ts',
  'packages/core/src/supervisor/sd-notify.ts',
  'packages/core/src/control/client.ts',
  'packages/core/src/supervisor/upgrade.ts',
  'packages/core/src/supervisor/worker.ts',
  'packages/core/src/cli/run.ts',
  'packages/core/src/cli/program-files.ts',
  'packages/core/src/cli/run-exec.ts',
  'packages/core/src/cli/handler-module.ts',
  'packages/core/src/inetd/exec-server.ts',
  'packages/core/src/inetd/child-program.ts',
  'packages/core/src/inetd/wait-server.ts',
  'packages/core/src/inetd/inetd-connection.ts',
  'packages/core/src/cli/program-log.ts',
  'packages/core/src/cli/line-output.ts',
  'packages/core/src/testing/behaviour-suite.ts',
  'packages/core/src/testing/datagram-suite.ts',
  'packages/core/src/testing/running-server.ts',
  'packages/core/src/testing/client.ts',
  'packages/core/src/testing/eventually.ts',
  'packages/core/src/testing/unused-address.ts',
  'packages/core/src/testing/dialogue.ts',
  'packages/core/src/testing/program.ts',
  'packages/core/src/testing/system-programs.ts',
  'packages/*/src/main.ts',
  'packages/*/src/cli.ts',
  'packages/http/src/static/disk.ts',
  'packages/http/src/static/disk-file.ts',
  'packages/http/src/static/read-pace.ts',
  'packages/http/src/auth/users-on-disk.ts',
  'packages/http/src/http1/after-promises.ts',
  'packages/http/src/http1/upgrade.ts',
  'packages/http/src/access-log/access-log-file.ts',
  'packages/http/src/http2/connection.ts',
  'packages/http/src/http2/exchange.ts',
  'packages/http/src/http2/response-writer.ts',
  'packages/ftp/src/disk-file-system.ts',
  'packages/ftp/src/disk-upload.ts',
  'packages/telnet/src/handler-module.ts',
  'packages/cli/src/run.ts',
  'packages/cli/src/control-commands.ts',
  'packages/cli/src/ping.ts',
];

const SYSTEM_MODULES = [
  'net',
  'dgram',
  'tls',
  'cluster',
  'child_process',
  'http',
  'https',
  'http2',
  'fs',
  'fs/promises',
  'timers',
  'timers/promises',
  'process',
  'os',
  'dns',
  'dns/promises',
  'worker_threads',
];
const RULE = 'Only carrying files touch the system; see CARRYING_FILES in eslint.config.js.';

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'coverage/**', '**/*.d.ts', '**/bin/*.js'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      // Protocol parsers match control bytes on purpose.
      'no-control-regex': 'off',
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    ignores: CARRYING_FILES,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: SYSTEM_MODULES.flatMap((name) => [name, `node:${name}`]).map((name) => ({
            name,
            message: RULE,
            allowTypeImports: true,
          })),
        },
      ],
      'no-restricted-globals': [
        'error',
        ...['process', 'setTimeout', 'setInterval', 'setImmediate', 'console'].map((name) => ({ name, message: RULE })),
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='Date'][property.name='now']",
          message: 'Take the time from a Clock.',
        },
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Take the time from a Clock.' },
      ],
    },
  },
  {
    // What Node does not document is asked for in one room, where each use is guarded.
    files: ['packages/*/src/**/*.ts'],
    ignores: ['packages/core/src/kernel/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['_handle', '_listen2', '_createServerHandle'].map((property) => ({
          property,
          message: 'Undocumented handles are named in packages/core/src/kernel only.',
        })),
      ],
    },
  },
  {
    // A test's callbacks are often async by signature alone, and its reads of parsed JSON are checked by the
    // assertions.
    files: ['**/test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts', '*.config.ts', '.ci/**/*.ts'],
    rules: {
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Our Response is compatible with the platform's by structure and prototype, which the rule cannot see.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      'no-restricted-exports': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'URL',
          'Response',
          'ReadableStream',
          'TextEncoder',
          'setTimeout',
          'setInterval',
          'clearTimeout',
          'clearInterval',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);

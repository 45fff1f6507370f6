// Which file may import which. Arrows point down: a room may import from the rooms above it in these lists (those that
// are named before it), from nothing below. Type imports count. docs/architecture.md draws the same lists, and a test
// holds the two together.

/** @type {Readonly<Record<string, readonly (readonly string[])[]>>} Rooms of each package, the lowest level first. */
export const LEVELS = {
  core: [
    [
      'errors.ts',
      'arguments.ts',
      'option-names.ts',
      'result.ts',
      'log.ts',
      'abort.ts',
      'diagnostics.ts',
      'late-builtin.ts',
    ],
    ['time/'],
    ['files/'],
    ['address/'],
    ['kernel/'],
    ['proxy-protocol/'],
    ['listener/'],
    ['connection/'],
    ['datagram/'],
    ['protocol.ts'],
    ['limits-exchange.ts'],
    ['observe/'],
    ['socket/'],
    ['server.ts', 'stop-on-signals.ts'],
    ['options.ts', 'resolved-options.ts', 'resolved-listen.ts', 'option-values.ts', 'supervision-policy.ts'],
    ['accept/'],
    ['supervisor/'],
    ['inetd/'],
    ['create-server.ts'],
    ['control/'],
    ['admin/'],
    ['cli/'],
    ['index.ts'],
    ['testing/'],
  ],
  http: [
    ['limits.ts'],
    ['semantics/'],
    ['description.ts'],
    ['fetch/'],
    ['handler.ts'],
    ['redirect.ts'],
    ['auth/'],
    ['access-log/'],
    ['static/'],
    ['exchange/'],
    ['http1/'],
    ['http2/'],
    ['protocol.ts'],
    ['server.ts'],
    ['globals.ts'],
    ['cli.ts'],
    ['index.ts', 'main.ts'],
  ],
  'redis-limits': [['connection-options.ts'], ['redis-limits.ts'], ['index.ts']],
  passwords: [
    ['sha-crypt-thread.ts'],
    ['hashes.ts'],
    ['password-users.ts', 'password-checker.ts'],
    ['password-file.ts'],
    ['index.ts'],
  ],
  'ftp-s3': [['errors.ts'], ['keys.ts'], ['reading.ts', 'writing.ts'], ['s3-file-system.ts'], ['index.ts']],
};

const inPackage = (name, rooms) => rooms.map((room) => `^packages/${name}/src/${room.replace('.', '\\.')}`);

const upward = Object.entries(LEVELS).flatMap(([name, levels]) =>
  levels.slice(0, -1).map((rooms, level) => ({
    name: `${name}: ${rooms.join(' ')} imports from below it only`,
    severity: 'error',
    from: { path: inPackage(name, rooms) },
    to: { path: inPackage(name, levels.slice(level + 1).flat()) },
  })),
);

const roomless = Object.entries(LEVELS).map(([name, levels]) => ({
  name: `${name}: every file stands in a room of LEVELS`,
  severity: 'error',
  from: {},
  to: { path: `^packages/${name}/src/`, pathNot: inPackage(name, levels.flat()) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no file cycles, types included',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core knows no protocol',
      severity: 'error',
      from: { path: '^packages/core/' },
      to: { path: '^packages/(?!core/)' },
    },
    {
      name: 'protocols know core, those that ask for passwords their check, and not each other',
      severity: 'error',
      from: { path: '^packages/(http|ftp|telnet|echo-udp)/' },
      to: { path: '^packages/(?!core/|passwords/|$1/)' },
    },
    {
      name: 'the check of passwords knows core and no protocol',
      severity: 'error',
      from: { path: '^packages/passwords/' },
      to: { path: '^packages/(?!core/|passwords/)' },
    },
    {
      name: 'the telnet engine needs nothing but itself: it runs in a browser',
      severity: 'error',
      from: { path: '^packages/telnet/src/engine/' },
      to: { pathNot: '^packages/telnet/src/engine/' },
    },
    {
      name: 'storage for ftp knows core and ftp',
      severity: 'error',
      from: { path: '^packages/ftp-s3/' },
      to: { path: '^packages/(?!core/|ftp/|ftp-s3/)' },
    },
    {
      name: 'the way of limits over machines knows core alone',
      severity: 'error',
      from: { path: '^packages/redis-limits/' },
      to: { path: '^packages/(?!core/|redis-limits/)' },
    },
    ...upward,
    ...roomless,
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: ['node_modules', 'dist'] },
    exclude: { path: ['/dist/'] },
    enhancedResolveOptions: { conditionNames: ['@wellknown/source', 'import', 'node', 'default'] },
  },
};

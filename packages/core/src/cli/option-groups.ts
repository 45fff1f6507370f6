// In which group of --help a common option stands, and which ones few people need.

import type { OptionSpec } from './server-command.ts';

export interface OptionGroup {
  readonly title: string;
  readonly options: readonly OptionSpec[];
}

const GROUPS: readonly { readonly title: string; readonly names: readonly string[] }[] = [
  {
    title: 'Where it listens',
    names: [
      'listen',
      'port-offset',
      'tls-cert',
      'tls-key',
      'tls-client-ca',
      'tls-client-cert',
      'proxy-protocol',
      'inetd',
      'backlog',
      'unix-mode',
    ],
  },
  {
    title: 'Who may connect, and how much',
    names: ['allow', 'deny', 'max-connections', 'max-connections-per-ip', 'max-rate', 'max-rate-per-ip', 'limits'],
  },
  {
    title: 'How long a connection lives, and what it costs',
    names: [
      'idle-timeout',
      'lifetime',
      'handshake-timeout',
      'proxy-timeout',
      'write-timeout',
      'tcp-keep-alive',
      'min-rate',
      'max-unsent',
    ],
  },
  {
    title: 'Processes',
    names: [
      'workers',
      'run-as',
      'drain-timeout',
      'accept',
      'dispatch',
      'max-served',
      'max-age',
      'heartbeat-timeout',
      'late-beat',
      'spare',
      'max-workers',
    ],
  },
  { title: 'Files and logs', names: ['admin', 'admin-token-file', 'control', 'pid-file', 'log-level', 'log-format'] },
];

/** Right by default nearly everywhere. */
const RARE: ReadonlySet<string> = new Set([
  'tls-client-cert',
  'inetd',
  'backlog',
  'unix-mode',
  'lifetime',
  'handshake-timeout',
  'proxy-timeout',
  'write-timeout',
  'tcp-keep-alive',
  'min-rate',
  'max-unsent',
  'accept',
  'dispatch',
  'max-served',
  'max-age',
  'heartbeat-timeout',
  'late-beat',
  'spare',
  'max-workers',
]);

/** Every one of the options in its group, the rest in one of their own. */
export function groupedOptions(options: readonly OptionSpec[]): readonly OptionGroup[] {
  const marked = options.map((spec) => (RARE.has(spec.name) ? { ...spec, rare: true } : spec));
  const grouped = new Set(GROUPS.flatMap(({ names }) => names));
  return [
    ...GROUPS.map(({ title, names }) => ({
      title,
      options: names.flatMap((name) => marked.filter((spec) => spec.name === name)),
    })),
    { title: 'Further options', options: marked.filter(({ name }) => !grouped.has(name)) },
  ];
}

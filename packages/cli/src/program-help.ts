// The help of the program itself.

import { COMMANDS } from './commands.ts';
import { TOPIC_NAMES } from './topics.ts';

const PARTS: readonly { readonly title: string; readonly names: readonly string[] }[] = [
  { title: 'Servers', names: ['up', 'http', 'ftp', 'telnet', 'echo', 'exec'] },
  { title: 'A running supervisor', names: ['status', 'reload', 'upgrade', 'scale', 'drain', 'stop'] },
  { title: 'Tools', names: ['init', 'check', 'ping', 'completion', 'man'] },
];

/** The --help of `wellknown` itself. */
export function helpOfProgram(): string {
  const parts = PARTS.map(({ title, names }) =>
    [
      `${title}:`,
      ...names.map((name) => `  ${name.padEnd(12)}${COMMANDS.find((command) => command.name === name)?.summary ?? ''}`),
    ].join('\n'),
  );
  return `usage: wellknown COMMAND [options]

  # Start four servers, on this machine only: ports 8080, 8021, 8023 and 8007
  wellknown up --port-offset 8000
  # Serve a folder to the network
  wellknown http ./site --listen tcp://:8080
  # See what a running supervisor is doing
  wellknown status

${parts.join('\n\n')}

'wellknown help COMMAND' tells the options of one, 'wellknown help TOPIC' more
about ${TOPIC_NAMES.join(', ')}.
'wellknown --version' prints the version. Without --listen every server
listens on 127.0.0.1 only; ports below 1024 need root or CAP_NET_BIND_SERVICE.
`;
}

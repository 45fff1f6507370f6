// The help of the program itself.

import { COMMAND_KINDS } from './command.ts';
import { COMMANDS } from './commands.ts';
import { TOPIC_NAMES } from './topics.ts';

/** The --help of `wellknown` itself. */
export function helpOfProgram(): string {
  const parts = Object.entries(COMMAND_KINDS).map(([kind, title]) =>
    [
      `${title}:`,
      ...COMMANDS.filter((command) => command.kind === kind).map(
        ({ name, summary }) => `  ${name.padEnd(13)}${summary}`,
      ),
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

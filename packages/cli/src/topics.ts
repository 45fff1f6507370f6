// What there is to say that is about no single command.

import { row, wrapped } from '@wellknown/core/cli';

interface Topic {
  readonly summary: string;
  readonly rows: readonly (readonly [name: string, help: string])[];
  readonly after?: string;
}

const TOPICS: Readonly<Record<string, Topic>> = {
  endpoints: {
    summary: 'What --listen takes.',
    rows: [
      ['tcp://HOST:PORT', 'a stream'],
      ['tls://HOST:PORT', 'a stream over TLS, with --tls-cert and --tls-key'],
      ['udp://HOST:PORT', 'datagrams'],
      ['unix:PATH', 'a socket in the file system'],
      ['unix:@NAME', 'an abstract one, which has no file (Linux)'],
      ['fd://N', 'a socket that is open as descriptor N'],
      ['systemd:NAME', 'the sockets that systemd passes under that FileDescriptorName='],
    ],
    after:
      'HOST is empty for all addresses, an IPv4 address, an [IPv6] address or a name. PORT is a number, 0 for any that is free, or the name of a service. Without --listen a server listens on its well-known port of 127.0.0.1.',
  },
  configuration: {
    summary: "What 'wellknown up' serves, in a file.",
    rows: [
      [
        'services',
        "what is served, by names of your choice, each with its 'protocol': http, ftp, telnet, echo or exec",
      ],
      ['OPTION', 'every option of the command line is a key: --max-connections is maxConnections, ROOT is root'],
      ['{ env: NAME }', 'in place of a text: a variable of the environment'],
      ['{ file: PATH }', 'the same: the contents of a file'],
    ],
    after:
      "It is wellknown.config.yaml, .toml, .json, .ts or .js of the working directory, then of /etc/wellknown; --config FILE names another. Options of the command line go before it. 'wellknown init' writes one, 'wellknown check' tells every mistake with its line, 'wellknown reload' applies it and leaves services alone that did not change.",
  },
  signals: {
    summary: 'What a server does when it is sent a signal.',
    rows: [
      ['TERM', 'stops accepting, lets work in flight finish, ends with status 0'],
      ['INT, QUIT', 'the same; a second one ends it at once'],
      [
        'HUP',
        'reload: new workers with what is on disk now, then the old ones drain; services that the configuration did not change keep their connections',
      ],
      ['USR2', 'upgrade: a new supervisor inherits the sockets, then this one drains'],
      ['TTIN, TTOU', 'one worker more, one less'],
      ['USR1', 'opens log files again'],
    ],
  },
  values: {
    summary: 'How values are written.',
    rows: [
      ['SECONDS', 'a number, or with a unit: 500ms, 5s, 2m, 1h, 1d'],
      ['BYTES', 'a number, or with a unit: 64k and 10MiB are powers of 1024, 10MB of 1000'],
      ['CIDR', 'an address or a range: 192.0.2.1, 192.0.2.0/24, 2001:db8::/32'],
      ['ENDPOINT', "see 'wellknown help endpoints'"],
    ],
  },
  'exit-status': {
    summary: 'What the exit status of a server means.',
    rows: [
      ['0', 'it was told to stop, and did'],
      ['1', 'it failed while it ran, or could not bind'],
      ['2', 'the command line is wrong: the message names the option'],
    ],
  },
};

/** Topics that have no command of their name. */
export const TOPIC_NAMES: readonly string[] = Object.keys(TOPICS);

/** What there is to say about a topic that is no command; undefined where there is nothing. */
export function topicText(name: string): string | undefined {
  const topic = Object.hasOwn(TOPICS, name) ? TOPICS[name] : undefined;
  if (topic === undefined) return undefined;
  const { summary, rows, after } = topic;
  return `${[
    summary,
    rows.map(([left, help]) => row(left, help)).join('\n'),
    ...(after === undefined ? [] : [wrapped(after, 0, 0)]),
  ].join('\n\n')}\n`;
}

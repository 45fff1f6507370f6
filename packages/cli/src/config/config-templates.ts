// The configurations that `init` writes, by their ending. Each serves as it stands, on unprivileged ports of this
// machine.

const YAML = `# The services of 'wellknown up'. 'wellknown check' tells every mistake with its line.
# Every option of the command line is a key here: --max-connections is maxConnections ('wellknown help http all').

# For the whole program.
portOffset: 8000        # added to the well-known ports; leave it out for 80, 21, 23 and 7, which need root
workers: auto           # one process for each core
# runAs: www-data       # who the workers become, when it is started as root
# admin: 9000           # a page to look at, metrics and probes, on this port of 127.0.0.1

# For every service that does not say it itself.
maxConnections: 10000
# idleTimeout: 5m

services:
  # The name of a service is yours; it is in the log, in 'wellknown status' and in the metrics.
  web:
    protocol: http
    root: .             # relative to this file
    noListing: true
    # listen: [tcp://:80, tls://:443]
    # tlsCert: cert.pem
    # tlsKey: key.pem

  files:
    protocol: ftp
    root: .             # read-only for everybody, unless there are accounts
    # account:
    #   - { name: ann, password: { env: ANN_PASSWORD }, home: /ann }
    #   - { name: bob, password: { file: /run/secrets/bob } }
    # write: true

  shell:
    protocol: telnet    # the demonstration; a session of yours:
    # handler: ./session.mjs

  echo:
    protocol: echo

  # A program for each connection, as inetd runs them.
  # time:
  #   protocol: exec
  #   listen: tcp://127.0.0.1:8013
  #   program: date
  #   args: [-u]
`;

const TOML = `# The services of 'wellknown up'. 'wellknown check' tells every mistake with its line.
# Every option of the command line is a key here: --max-connections is maxConnections ('wellknown help http all').

# For the whole program.
portOffset = 8000       # added to the well-known ports; leave it out for 80, 21, 23 and 7, which need root
workers = "auto"        # one process for each core
# runAs = "www-data"    # who the workers become, when it is started as root
# admin = 9000          # a page to look at, metrics and probes, on this port of 127.0.0.1

# For every service that does not say it itself.
maxConnections = 10000
# idleTimeout = "5m"

# The name of a service is yours; it is in the log, in 'wellknown status' and in the metrics.
[services.web]
protocol = "http"
root = "."              # relative to this file
noListing = true
# listen = ["tcp://:80", "tls://:443"]
# tlsCert = "cert.pem"
# tlsKey = "key.pem"

[services.files]
protocol = "ftp"
root = "."              # read-only for everybody, unless there are accounts
# account = [
#   { name = "ann", password = { env = "ANN_PASSWORD" }, home = "/ann" },
#   { name = "bob", password = { file = "/run/secrets/bob" } },
# ]
# write = true

[services.shell]
protocol = "telnet"     # the demonstration; a session of yours:
# handler = "./session.mjs"

[services.echo]
protocol = "echo"

# A program for each connection, as inetd runs them.
# [services.time]
# protocol = "exec"
# listen = "tcp://127.0.0.1:8013"
# program = "date"
# args = ["-u"]
`;

/** `typed` is how the language says that it is a configuration. */
const moduleText = (
  before: string,
  after: string,
): string => `// The services of 'wellknown up'. 'wellknown check' tells every mistake.
// Every option of the command line is a key here: --max-connections is maxConnections ('wellknown help http all').
${before}{
  // For the whole program.
  portOffset: 8000, // added to the well-known ports; leave it out for 80, 21, 23 and 7, which need root
  workers: 'auto', // one process for each core
  // runAs: 'www-data', // who the workers become, when it is started as root
  // admin: 9000, // a page to look at, metrics and probes, on this port of 127.0.0.1

  // For every service that does not say it itself.
  maxConnections: 10_000,
  // idleTimeout: '5m',

  // The name of a service is yours; it is in the log, in 'wellknown status' and in the metrics.
  services: {
    web: {
      protocol: 'http',
      root: '.', // relative to this file
      noListing: true,
      // listen: ['tcp://:80', 'tls://:443'],
      // tlsCert: 'cert.pem',
      // tlsKey: 'key.pem',
    },
    files: {
      protocol: 'ftp',
      root: '.', // read-only for everybody, unless there are accounts
      // account: [{ name: 'ann', password: { env: 'ANN_PASSWORD' }, home: '/ann' }],
      // write: true,
    },
    shell: {
      protocol: 'telnet', // the demonstration; a session of yours:
      // handler: './session.mjs',
    },
    echo: { protocol: 'echo' },
    // A program for each connection, as inetd runs them.
    // time: { protocol: 'exec', listen: 'tcp://127.0.0.1:8013', program: 'date', args: ['-u'] },
  },
}${after};
`;

// No comments in JSON; the schema tells editors what each key means.
const JSON_TEXT = `{
  "$schema": "https://unpkg.com/@wellknown/cli/wellknown.schema.json",
  "portOffset": 8000,
  "workers": "auto",
  "maxConnections": 10000,
  "services": {
    "web": { "protocol": "http", "root": ".", "noListing": true },
    "files": { "protocol": "ftp", "root": "." },
    "shell": { "protocol": "telnet" },
    "echo": { "protocol": "echo" }
  }
}
`;

// Types alone: they need not be installed to start it.
const TYPESCRIPT = moduleText("import type { Config } from '@wellknown/cli';\n\nexport default ", ' satisfies Config');
const JAVASCRIPT = moduleText("\n/** @type {import('@wellknown/cli').Config} */\nexport default ", '');

export const CONFIG_TEMPLATES: Readonly<Record<string, string>> = {
  '.yaml': YAML,
  '.yml': YAML,
  '.toml': TOML,
  '.json': JSON_TEXT,
  '.ts': TYPESCRIPT,
  '.mjs': JAVASCRIPT,
};

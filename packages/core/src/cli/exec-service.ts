// `exec` as one service of a configuration: inetd's `nowait` beside servers of other protocols, under their supervisor.

import { WellknownError } from '../errors.ts';
import { DEFAULT_MAX_CONNECTIONS } from '../inetd/exec-server.ts';
import { execProtocol } from '../inetd/exec-protocol.ts';
import { fail, ok } from '../result.ts';
import { COMMON_OPTIONS, PROGRAM_OPTIONS } from './common-options.ts';
import { readNumber } from './read-values.ts';
import { EXEC_LIMIT_OPTIONS } from './run-exec.ts';
import type { ServerCommand } from './server-command.ts';

const TAKEN: ReadonlySet<string> = new Set([
  'listen',
  ...EXEC_LIMIT_OPTIONS.map(({ name }) => name),
  ...PROGRAM_OPTIONS,
]);

/** What the configuration knows as the protocol `exec`. */
export const execServiceCommand: ServerCommand = {
  name: 'exec',
  summary: "a program for each connection, inetd's nowait",
  options: [
    { name: 'program', argument: 'PROGRAM', help: 'a path, or a name that is looked up in PATH; no shell reads it' },
    { name: 'args', argument: 'ARG', repeatable: true, help: 'its arguments' },
    ...EXEC_LIMIT_OPTIONS,
  ],
  defaultScheme: 'tcp',
  schemes: ['tcp', 'unix'],
  without: Object.fromEntries(
    COMMON_OPTIONS.filter(({ name }) => !TAKEN.has(name)).map(({ name }) => [
      name,
      'is not for exec: nothing of its connections is read here',
    ]),
  ),
  serverOptions(values) {
    const given = readNumber(values, 'max-connections', { whole: true, min: 1 });
    const maxConnections = (given.ok ? given.value : undefined) ?? DEFAULT_MAX_CONNECTIONS;
    return { limits: { maxConnections, maxConnectionsPerAddress: maxConnections } };
  },
  async build(values) {
    const program = values.text('program');
    if (program === undefined) return fail('--program is missing: a path, or a name that is looked up in PATH');
    if (values.list('listen').length === 0) return fail('--listen is missing: exec has no well-known port');
    try {
      return ok(await execProtocol({ program, arguments: values.list('args') }));
    } catch (error) {
      if (!(error instanceof WellknownError)) throw error;
      return fail(`--program: ${error.message}`);
    }
  },
};

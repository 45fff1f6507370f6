import { ok } from '@wellknown/core';
import { loadHandlerModule, type ServerCommand } from '@wellknown/core/cli';
import type { TelnetHandler } from './connection.ts';
import { createDemoSession } from './demo-session.ts';
import { telnetProtocol } from './protocol.ts';

/** `wellknown telnet`, and `wellknown-telnet` on its own. */
export const telnetCommand: ServerCommand = {
  name: 'telnet',
  summary: 'a telnet server: a demonstration session, or your own handler',
  examples: [
    { line: '--port-offset 8000', does: 'Try the demonstration: telnet 127.0.0.1 8023' },
    { line: '--handler ./session.mjs --port-offset 8000', does: 'Serve a session of yours' },
    { line: '--handler ./session.mjs --listen tcp://:23', does: 'Serve it to the network' },
  ],
  options: [
    {
      name: 'handler',
      argument: 'FILE',
      help: 'a module whose default export is async (session) => {}; default: the built-in demonstration',
    },
    { name: 'line-mode', help: 'the client edits lines and sends them whole; the only mode so far, and the default' },
  ],
  defaultScheme: 'tcp',
  schemes: ['tcp', 'tls', 'unix'],
  async build(values, { isServing }) {
    const file = values.text('handler');
    if (file === undefined || !isServing) return ok(telnetProtocol(createDemoSession()));
    const handler = await loadHandlerModule(file, { expected: 'async (session) => {}', pick: pickTelnetHandler });
    return handler.ok ? ok(telnetProtocol(handler.value)) : handler;
  },
};

const pickTelnetHandler = (exported: unknown): TelnetHandler | undefined =>
  typeof exported === 'function' ? (exported as TelnetHandler) : undefined;

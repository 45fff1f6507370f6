// A line protocol that upgrades to TLS: `node notes.ts tcp://127.0.0.1:8098 cert.pem key.pem`. In clear it says hello,
// help and goodbye; notes are taken only in secret. Every command is a row of the table, and what needs TLS is a
// column.
import { readFileSync } from 'node:fs';
import { defineProtocol, serve, type Connection } from '@wellknown/core';

interface Command {
  readonly needsTls: boolean;
  readonly run: (peer: Connection, notes: string[], argument: string) => string | undefined;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    HELP: { needsTls: false, run: () => `200 ${[...COMMANDS.keys(), 'STARTTLS'].join(' ')}` },
    NOTE: {
      needsTls: true,
      run: (_peer, notes, text) => (notes.length < 100 ? `201 note ${notes.push(text)}` : '452 the page is full'),
    },
    READ: { needsTls: true, run: (_peer, notes) => `200 ${notes.length}: ${notes.join(' / ')}` },
    QUIT: { needsTls: false, run: () => undefined },
  }),
);

export const notes = defineProtocol({
  name: 'notes',
  port: 8098,
  limits: { idleTimeoutMs: 60_000 },
  async connection(peer) {
    const page: string[] = [];
    await peer.write('220 notes, in secret after STARTTLS\r\n');
    for (;;) {
      const line = await peer.readLine({ maxLineBytes: 200 });
      const [, verb = '', argument = ''] = /^(\S*) ?(.*)$/.exec(line ?? 'QUIT') ?? [];
      const command = COMMANDS.get(verb.toUpperCase());
      if (verb.toUpperCase() === 'STARTTLS' && peer.secure === undefined) {
        // The answer goes out in clear; what a client sends before it has seen it ends the connection.
        await peer.write('220 go ahead\r\n');
        await peer.startTls();
      } else if (command === undefined) await peer.write('500 what?\r\n');
      else if (command.needsTls && peer.secure === undefined) await peer.write('530 STARTTLS first\r\n');
      else {
        const answer = command.run(peer, page, argument);
        await peer.write(`${answer ?? '221 goodbye'}\r\n`);
        if (answer === undefined) return;
      }
    }
  },
});

const [endpoint, cert, key] = process.argv.slice(2);
if (endpoint !== undefined && cert !== undefined && key !== undefined) {
  await serve(notes, { listen: endpoint, workers: 2, tls: { cert: readFileSync(cert), key: readFileSync(key) } });
}

// The control socket's language, without a socket.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CONTROL_COMMANDS, parseControlRequest } from '../../src/control/protocol.ts';

test.each([
  [{ command: 'status' }, { command: 'status' }],
  [
    { command: 'scale', workers: 1024 },
    { command: 'scale', workers: 1024 },
  ],
  [{ command: 'connections' }, { command: 'connections' }],
  [
    { command: 'connections', service: 'ftp', remote: '192.0.2.0/24', more: 1 },
    { command: 'connections', service: 'ftp', remote: '192.0.2.0/24' },
  ],
  [
    { command: 'close', connection: '1.2' },
    { command: 'close', connection: '1.2', reset: false },
  ],
  [{ command: 'log-level' }, { command: 'log-level' }],
  [
    { command: 'log-level', level: 'debug' },
    { command: 'log-level', level: 'debug' },
  ],
])('%j is understood', (given, request) => {
  expect(parseControlRequest(JSON.stringify(given))).toEqual({ ok: true, value: request });
});

test.each([
  ['{', 'not a line of JSON'],
  ['[]', 'no command'],
  ['{"command":"toString"}', 'unknown command, allowed are '],
  ['{"command":"scale","workers":1025}', 'scale needs workers, a whole number from 1 to 1024'],
  ['{"command":"scale","workers":"4"}', 'scale needs workers'],
  ['{"command":"connections","service":7}', 'connections takes service, a name'],
  ['{"command":"close"}', "close needs connection, an id of 'connections'"],
  ['{"command":"close","connection":"1.2","reset":1}', 'and takes reset, true or false'],
  ['{"command":"log-level","level":"loud"}', 'log-level takes level, one of debug, info, warn, error'],
])('%s is refused with what is allowed', (line, problem) => {
  expect(parseControlRequest(line)).toEqual({ ok: false, error: expect.stringContaining(problem) as unknown });
});

test('whatever a client says is a request of the table or a problem', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      const request = parseControlRequest(line);
      expect(request.ok ? CONTROL_COMMANDS.includes(request.value.command) : request.error !== '').toBe(true);
    }),
  );
});

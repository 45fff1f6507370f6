// The limits of the command line, for sessions that are programs: at each, and one past it.

import { eventually, startProgram, type Program } from '@wellknown/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { programArguments } from '../../../test/programs.ts';
import { dial, pidIn, program, type RawClient } from './program-fixture.ts';

const SCRIPT = 'echo pid $$; read line; echo "said $line"';

async function serve(...options: readonly string[]): Promise<{ readonly server: Program; readonly port: number }> {
  const server = await startProgram([
    ...programArguments('packages/telnet/src/main.ts'),
    ...['--listen', 'tcp://127.0.0.1:0', '--workers', '1', '--exec', await program(SCRIPT), ...options],
  ]);
  onTestFinished(() => void server.stop());
  return { server, port: Number(server.endpoints.telnet?.[0]?.split(':').at(-1)) };
}

const isServed = (client: RawClient): Promise<void> => eventually(() => expect(pidIn(client.text)).toBeGreaterThan(0));

describe('sessions of programs from the command line', () => {
  test('of one address are as many as --max-connections-per-ip says, and the next is told', async () => {
    const { port } = await serve('--max-connections-per-ip', '2');
    const [first, second] = [await dial(port), await dial(port)];
    await isServed(first);
    await isServed(second);
    const third = await dial(port);
    await eventually(() => expect(third.hasEnded).toBe(true));
    expect(third.text).toBe('Too many sessions from your address. Please try again later.\r\n');
    first.socket.write('bye\r\n');
    await eventually(() => expect(first.hasEnded).toBe(true));
    await eventually(async () => {
      const next = await dial(port);
      await eventually(() => next.text !== '');
      return !next.text.startsWith('Too many');
    });
  });

  test('in all are as many as --max-connections says, and the next waits its turn', async () => {
    const { port } = await serve('--max-connections', '2');
    const [first, second] = [await dial(port), await dial(port)];
    await isServed(first);
    await isServed(second);
    const third = await dial(port);
    // What is served at once is likely to be so before this answer.
    second.socket.write('bye\r\n'.slice(0, 1));
    await eventually(() => expect(second.text).toMatch(/pid \d+\r\nb$/));
    expect(third.text).toBe('');
    first.socket.write('bye\r\n');
    await isServed(third);
    expect(second.hasEnded).toBe(false);
  });

  test('end when nothing has come for --idle-timeout, and their program with them', async () => {
    const { port } = await serve('--idle-timeout', '1');
    const silent = await dial(port);
    await isServed(silent);
    await eventually(() => expect(silent.hasEnded).toBe(true));
    await eventually(() => {
      expect(() => process.kill(pidIn(silent.text), 0)).toThrow('ESRCH');
    });
  });

  test('are taken as fast as --max-rate-per-ip says, and the next is turned away', async () => {
    const { port } = await serve('--max-rate-per-ip', '1');
    const clients: RawClient[] = [];
    // One a second, with a burst: whoever comes faster than that is turned away sooner or later.
    await eventually(async () => {
      clients.push(await dial(port));
      return clients.some(({ hasEnded, text }) => hasEnded && !text.includes('pid'));
    });
    await isServed(clients[0]!);
  });
});

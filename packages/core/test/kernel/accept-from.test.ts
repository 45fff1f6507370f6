import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { expect, test } from 'vitest';
import { acceptFrom } from '../../src/kernel/accept-from.ts';
import { bindStream, type BoundStream } from '../../src/kernel/stream-handle.ts';

/** What Node calls for each connection, and for each that the system could not accept. */
interface AcceptingHandle {
  onconnection(status: number): void;
}
const handleOf = ({ handle }: BoundStream): AcceptingHandle =>
  ((handle as unknown as { _handle?: AcceptingHandle })._handle ?? handle) as unknown as AcceptingHandle;
const ECONNABORTED = -103;

test('each accept that fails is told, and the next connections are accepted', async () => {
  const bound = bindStream({ address: '127.0.0.1', port: 0 });
  const failures: string[] = [];
  let accept: (socket: net.Socket) => void = () => undefined;
  const accepted = new Promise<net.Socket>((resolve) => (accept = resolve));
  const accepting = acceptFrom(bound.handle, {
    backlog: 8,
    unread: true,
    noDelay: true,
    keepAliveMs: 0,
    accepted: accept,
    failed: (error) => failures.push((error as NodeJS.ErrnoException).code ?? ''),
  });
  await accepting.listening;
  handleOf(bound).onconnection(ECONNABORTED);
  handleOf(bound).onconnection(ECONNABORTED);
  expect(failures).toEqual(['ECONNABORTED', 'ECONNABORTED']);
  const client = net.connect(bound.bound?.port ?? 0, '127.0.0.1');
  (await accepted).destroy();
  await once(client, 'close');
  accepting.close();
});

test('a second listener on an address that is taken rejects with the system error', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const accepting = acceptFrom(
    { host: '127.0.0.1', port },
    {
      backlog: 8,
      unread: false,
      noDelay: true,
      keepAliveMs: 0,
      accepted: (socket) => socket.destroy(),
      failed: () => undefined,
    },
  );
  await expect(accepting.listening).rejects.toMatchObject({ code: 'EADDRINUSE' });
  accepting.close();
  taken.close();
});

/** The timer that the kernel runs for the accepted end of a connection to this port, as /proc/net/tcp has it. */
function timerOf(port: number): string | undefined {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1);
  const fields = rows.map((row) => row.trim().split(/\s+/));
  return fields.find(([, address, , state]) => address?.endsWith(local) === true && state === '01')?.[5];
}

test.runIf(process.platform === 'linux').each([
  // A timer of kind 2 is that of SO_KEEPALIVE; its time is in hundredths of a second.
  ['an accepted connection is asked after the given silence', 120_000, /^02:0000(?:2E[0-9A-F]|2D[0-9A-F])/],
  ['with 0 it is never asked', 0, /^00:/],
])('%s', async (_, keepAliveMs, timer) => {
  const bound = bindStream({ address: '127.0.0.1', port: 0 });
  const port = bound.bound?.port ?? 0;
  let accept: (socket: net.Socket) => void = () => undefined;
  const accepted = new Promise<net.Socket>((resolve) => (accept = resolve));
  const failed = (): void => undefined;
  const accepting = acceptFrom(bound.handle, {
    backlog: 8,
    unread: true,
    noDelay: true,
    keepAliveMs,
    accepted: accept,
    failed,
  });
  await accepting.listening;
  const client = net.connect(port, '127.0.0.1');
  const socket = await accepted;
  expect(timerOf(port)).toMatch(timer);
  socket.destroy();
  client.destroy();
  accepting.close();
});

import { once } from 'node:events';
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
    { backlog: 8, unread: false, noDelay: true, accepted: (socket) => socket.destroy(), failed: () => undefined },
  );
  await expect(accepting.listening).rejects.toMatchObject({ code: 'EADDRINUSE' });
  accepting.close();
  taken.close();
});

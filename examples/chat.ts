// A chat over several worker processes: `node chat.ts tcp://127.0.0.1:8099`, then talk to it with `nc` from two
// terminals.
//
// A worker knows only its own connections. What is said goes to the primary over the channel that node:cluster keeps
// anyway, and from there to every worker: in one order for all, private to this program, and gone with the process that
// held it.
import cluster from 'node:cluster';
import { defineProtocol, serve, type Connection } from '@wellknown/core';

const here = new Set<Connection>();

/** Tells every member in this process. A peer that never reads is cut off by core, at 16 MiB or after 30 seconds. */
const tell = (line: string): void => {
  for (const peer of here) peer.send(`${line}\r\n`, 'utf8');
};

/** The other end may be about to leave: then it need not be heard. */
const ignore = (): void => undefined;

/** Tells every member in every process. Without workers this process is all there is. */
const tellAll = (line: string): void => {
  if (cluster.worker === undefined) tell(line);
  else cluster.worker.send({ chat: line }, ignore);
};

const isChat = (message: unknown): message is { chat: string } =>
  typeof message === 'object' && message !== null && 'chat' in message && typeof message.chat === 'string';

export const chat = defineProtocol({
  name: 'chat',
  port: 8099,
  limits: { idleTimeoutMs: 0 },
  async connection(peer, { workerSlot }) {
    await peer.write(`Welcome to worker ${workerSlot}. Who are you?\r\n`);
    const name = (await peer.readLine({ maxLineBytes: 32 }))?.replace(/[\x00-\x1f\x7f]/g, '');
    if (name === undefined || name === '') return;
    here.add(peer);
    void peer.closed.then(() => {
      here.delete(peer);
      tellAll(`* ${name} has left`);
    });
    tellAll(`* ${name} is here`);
    for (let line = await peer.readLine(); line !== undefined; line = await peer.readLine()) {
      // A control character could move another member's cursor.
      tellAll(`<${name}> ${line.replace(/[\x00-\x1f\x7f]/g, '')}`);
    }
  },
});

if (process.argv[2] !== undefined) {
  cluster.on('message', (_from, message) => {
    if (isChat(message)) for (const worker of Object.values(cluster.workers ?? {})) worker?.send(message, ignore);
  });
  if (cluster.isWorker) process.on('message', (message) => isChat(message) && tell(message.chat));
  const server = await serve(chat, { listen: process.argv[2], workers: 2 });
  if (server.role === 'primary') console.log('ready');
}

// A server without workers whose protocols are loaded once everything is bound.

import dgram from 'node:dgram';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createServer, defineProtocol, type Protocol, type Server } from '../../src/index.ts';
import { connectClient, unusedAddress } from '../../src/testing/index.ts';

const saying = (word: string): Protocol =>
  defineProtocol({
    name: 'word',
    port: 7,
    connection: (peer) => peer.write(word),
    datagrams: (socket) => (_message, source) => void socket.send(Buffer.from(word), source.port, source.address),
  });

const described = defineProtocol({
  ...saying('described'),
  connection: () => Promise.reject(new Error('this is served by nobody')),
});

function serverWith(listen: readonly string[], loadProtocols: () => Promise<readonly Protocol[]>): Server {
  const server = createServer({ protocol: described, listen }, { loadProtocols, drainTimeoutMs: 0 });
  onTestFinished(() => server.close());
  return server;
}

describe('protocols that are loaded', () => {
  test('are served instead of those that described them, and what came meanwhile has waited', async () => {
    const { host, port } = await unusedAddress();
    const sender = dgram.createSocket('udp4');
    onTestFinished(() => void sender.close());
    const answer = new Promise<string>((resolve) => sender.once('message', (message) => resolve(message.toString())));
    const server = serverWith([`udp://${host}:${port}`, 'tcp://127.0.0.1:0'], async () => {
      await new Promise((resolve) => sender.send('early', port, host, resolve));
      // Time for a socket that receives to take it.
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      return [saying('loaded')];
    });
    const [, stream] = await server.listen();
    const client = await connectClient(stream?.url ?? '');
    expect(await client.receiveAll()).toBe('loaded');
    client.end();
    expect(await answer).toBe('loaded');
  });

  test('that cannot be loaded: listen rejects, and what was bound is free again', async () => {
    const { host, port } = await unusedAddress();
    const url = `tcp://${host}:${port}`;
    await expect(serverWith([url], () => Promise.reject(new Error('not today'))).listen()).rejects.toThrow('not today');
    const second = serverWith([url], () => Promise.resolve([saying('second')]));
    await second.listen();
    const client = await connectClient(url);
    expect(await client.receiveAll()).toBe('second');
    client.end();
  });

  test('are not waited for by a server that is closed meanwhile', async () => {
    const server: Server = serverWith(['tcp://127.0.0.1:0'], () => {
      void server.close();
      return Promise.resolve([saying('late')]);
    });
    await expect(server.listen()).rejects.toMatchObject({ code: 'WRONG_STATE' });
    await server.ended;
  });
});

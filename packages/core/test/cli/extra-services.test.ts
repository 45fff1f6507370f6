import { describe, expect, test } from 'vitest';
import { companionServices } from '../../src/cli/extra-services.ts';
import { defineProtocol } from '../../src/index.ts';

const both = defineProtocol({ name: 'both', port: 13, connection: () => undefined, datagrams: () => () => undefined });
const streams = defineProtocol({ name: 'streams', port: 19, connection: () => undefined });
const datagrams = defineProtocol({ name: 'datagrams', port: 862, datagrams: () => () => undefined });

describe('services that one command brings along', () => {
  test('listen on their own well-known ports wherever the main one listens and they are served', () => {
    const listen = ['udp://:8007', 'udp://[::1]:8007', 'tcp://192.0.2.1:8007', 'unix:/run/echo'];
    const services = companionServices([both, streams, datagrams], listen, 8_000);
    expect(services.ok && services.value.map((service) => service.listen)).toEqual([
      ['udp://:8013', 'udp://[::1]:8013', 'tcp://192.0.2.1:8013'],
      ['tcp://192.0.2.1:8019'],
      ['udp://:8862', 'udp://[::1]:8862'],
    ]);
  });

  test('take a port of the system where the main one does', () => {
    const services = companionServices([both], ['udp://127.0.0.1:0'], 0);
    expect(services.ok && services.value[0]?.listen).toEqual(['udp://127.0.0.1:0']);
  });

  test('are once at an address, though the main one has several ports there', () => {
    const services = companionServices([both], ['udp://127.0.0.1:7', 'udp://127.0.0.1:8007'], 0);
    expect(services.ok && services.value[0]?.listen).toEqual(['udp://127.0.0.1:13']);
  });

  test('are refused where they would listen nowhere, with what to add', () => {
    expect(companionServices([streams], ['udp://127.0.0.1:7'], 0)).toEqual({
      ok: false,
      error: 'streams is served over tcp only: add --listen tcp://HOST:PORT',
    });
    expect(companionServices([datagrams], ['tcp://127.0.0.1:7'], 0)).toEqual({
      ok: false,
      error: 'datagrams is served over udp only: add --listen udp://HOST:PORT',
    });
  });
});

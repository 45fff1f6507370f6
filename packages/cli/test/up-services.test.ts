// The primary of `up` knows its services by their descriptions, and loads none of the servers.

import type { Protocol } from '@wellknown/core';
import { expect, test } from 'vitest';
import { createUpProtocols } from '../src/up-protocols.ts';
import { DESCRIBED_PROTOCOLS } from '../src/up-descriptions.ts';
import { upServices, type UpProtocols } from '../src/up-services.ts';

/** What a primary asks a protocol for: whom to turn away with which words, whom to ban, where to listen. */
const known = ({
  name,
  port,
  urlScheme,
  defaultScheme,
  alpn,
  tlsSessions,
  bans,
  open,
  datagrams,
  refusal,
}: Protocol) => ({
  ...{ name, port, urlScheme, defaultScheme, tlsSessions, bans },
  refusals: (['address-limit', 'queue-limit'] as const).map((reason) => refusal?.(reason)),
  ways: [open !== undefined && 'streams', datagrams !== undefined && 'datagrams'],
  alpn: alpn ?? [],
});

test.each(Object.keys(DESCRIBED_PROTOCOLS) as (keyof UpProtocols)[])(
  'a primary knows of %s what the workers serve',
  (name) => {
    const served = known(createUpProtocols(0, 0)[name]);
    // Which version of HTTP is spoken is agreed with those who speak it.
    expect(known(DESCRIBED_PROTOCOLS[name])).toEqual(name === 'http' ? { ...served, alpn: [] } : served);
  },
);

test('the ports of all services are moved by the offset', () => {
  expect(upServices(DESCRIBED_PROTOCOLS, 8000).map(({ listen }) => listen)).toEqual([
    'tcp://127.0.0.1:8080',
    'tcp://127.0.0.1:8021',
    'tcp://127.0.0.1:8023',
    'udp://127.0.0.1:8007',
  ]);
});

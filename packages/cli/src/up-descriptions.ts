// The services of `up` for its primary, which serves none of them.

import type { Protocol, ProtocolDescription } from '@wellknown/core';
import { ECHO } from '@wellknown/echo-udp/description';
import { FTP } from '@wellknown/ftp/description';
import { HTTP } from '@wellknown/http/description';
import { TELNET } from '@wellknown/telnet/description';
import type { UpProtocols } from './up-services.ts';

const served = (description: ProtocolDescription): never => {
  throw new Error(`${description.name} is served by workers, and not by this process`);
};
const overStreams = (description: ProtocolDescription): Protocol => ({
  ...description,
  open: () => served(description),
});

/** To load four servers would cost a third of its start. */
export const DESCRIBED_PROTOCOLS: UpProtocols = {
  http: overStreams(HTTP),
  ftp: overStreams(FTP),
  telnet: overStreams(TELNET),
  echo: { ...overStreams(ECHO), datagrams: () => served(ECHO) },
};

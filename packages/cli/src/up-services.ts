// What `up` serves without a configuration: all four servers on 127.0.0.1, nothing of the disk, nothing writable.

import type { Protocol, ProtocolDescription, Service } from '@wellknown/core';
import { defaultEndpoint } from '@wellknown/core/cli';
import { ECHO } from '@wellknown/echo-udp/description';
import { FTP } from '@wellknown/ftp/description';
import { HTTP } from '@wellknown/http/description';
import { TELNET } from '@wellknown/telnet/description';

export interface UpProtocols {
  readonly http: Protocol;
  readonly ftp: Protocol;
  readonly telnet: Protocol;
  readonly echo: Protocol;
}

/** The services of `up`, their ports moved by `portOffset`. */
export const upServices = ({ http, ftp, telnet, echo }: UpProtocols, portOffset: number): readonly Service[] => [
  { protocol: http, listen: defaultEndpoint('tcp', HTTP.port, portOffset) },
  { protocol: ftp, listen: defaultEndpoint('tcp', FTP.port, portOffset) },
  { protocol: telnet, listen: defaultEndpoint('tcp', TELNET.port, portOffset) },
  { protocol: echo, listen: defaultEndpoint('udp', ECHO.port, portOffset) },
];

const served = (description: ProtocolDescription): never => {
  throw new Error(`${description.name} is served by workers, and not by this process`);
};
const overStreams = (description: ProtocolDescription): Protocol => ({
  ...description,
  open: () => served(description),
});

/** For a primary, which serves none of them: to load four servers would cost half of its start and of its memory. */
export const DESCRIBED_PROTOCOLS: UpProtocols = {
  http: overStreams(HTTP),
  ftp: overStreams(FTP),
  telnet: overStreams(TELNET),
  echo: { ...overStreams(ECHO), datagrams: () => served(ECHO) },
};

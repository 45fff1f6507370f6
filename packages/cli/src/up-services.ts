// What `up` serves without a configuration: all four servers on 127.0.0.1, nothing of the disk, nothing writable.

import type { Protocol, Service } from '@wellknown/core';
import { defaultEndpoint } from '@wellknown/core/cli';

export interface UpProtocols {
  readonly http: Protocol;
  readonly ftp: Protocol;
  readonly telnet: Protocol;
  readonly echo: Protocol;
}

/** The services of `up`, their ports moved by `portOffset`. */
export const upServices = ({ http, ftp, telnet, echo }: UpProtocols, portOffset: number): readonly Service[] => [
  { protocol: http, listen: defaultEndpoint('tcp', http.port, portOffset) },
  { protocol: ftp, listen: defaultEndpoint('tcp', ftp.port, portOffset) },
  { protocol: telnet, listen: defaultEndpoint('tcp', telnet.port, portOffset) },
  { protocol: echo, listen: defaultEndpoint('udp', echo.port, portOffset) },
];

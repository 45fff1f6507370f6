// What `up` serves without a configuration: all four servers on 127.0.0.1, nothing of the disk, nothing writable.

import type { Service } from '@wellknown/core';
import { defaultEndpoint } from '@wellknown/core/cli';
import { echoProtocol } from '@wellknown/echo-udp';
import { ftpProtocol, memoryFileSystem } from '@wellknown/ftp';
import { httpProtocol } from '@wellknown/http';
import { createDemoSession, telnetProtocol } from '@wellknown/telnet';
import { welcomeHandler, type Ports } from './welcome-page.ts';

const FTP_README = `This is an FTP server with an example in memory. It is read-only.

To serve a folder of yours:             wellknown ftp ./folder
To let an account change its files:     wellknown ftp ./folder --account NAME:PASSWORD --write
`;

/** The services of `up`, their ports moved by `portOffset`. `idleTimeoutMs` is what the user gave for all of them. */
export function upServices(portOffset: number, startedAtMs: number, idleTimeoutMs?: number): readonly Service[] {
  const ports: Ports = { http: 80 + portOffset, ftp: 21 + portOffset, telnet: 23 + portOffset, echo: 7 + portOffset };
  const files = memoryFileSystem({
    files: { '/README.txt': FTP_README, '/pub/hello.txt': 'Hello from wellknown.\n' },
    wallMs: () => startedAtMs,
  });
  return [
    {
      protocol: httpProtocol(welcomeHandler(ports), idleTimeoutMs === undefined ? {} : { limits: { idleTimeoutMs } }),
      listen: defaultEndpoint('tcp', 80, portOffset),
    },
    { protocol: ftpProtocol({ fileSystem: files }), listen: defaultEndpoint('tcp', 21, portOffset) },
    { protocol: telnetProtocol(createDemoSession()), listen: defaultEndpoint('tcp', 23, portOffset) },
    { protocol: echoProtocol(), listen: defaultEndpoint('udp', 7, portOffset) },
  ];
}

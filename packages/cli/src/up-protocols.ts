// The servers of `up`, for the processes that serve.

import { echoProtocol } from '@wellknown/echo-udp';
import { ftpProtocol, memoryFileSystem } from '@wellknown/ftp';
import { httpProtocol } from '@wellknown/http';
import { createDemoSession, telnetProtocol } from '@wellknown/telnet';
import type { UpProtocols } from './up-services.ts';
import { welcomeHandler } from './welcome-page.ts';

const FTP_README = `This is an FTP server with an example in memory. It is read-only.

To serve a folder of yours:             wellknown ftp ./folder
To let an account change its files:     wellknown ftp ./folder --account NAME:PASSWORD --write
`;

/** `idleTimeoutMs` is what the user gave for all of them. */
export function createUpProtocols(portOffset: number, startedAtMs: number, idleTimeoutMs?: number): UpProtocols {
  const ports = { http: 80 + portOffset, ftp: 21 + portOffset, telnet: 23 + portOffset, echo: 7 + portOffset };
  const files = memoryFileSystem({
    files: { '/README.txt': FTP_README, '/pub/hello.txt': 'Hello from wellknown.\n' },
    wallMs: () => startedAtMs,
  });
  return {
    http: httpProtocol(welcomeHandler(ports), {
      // The page is an HttpResponse.
      preloadPlatformClasses: false,
      ...(idleTimeoutMs === undefined ? {} : { limits: { idleTimeoutMs } }),
    }),
    ftp: ftpProtocol({ fileSystem: files }),
    telnet: telnetProtocol(createDemoSession()),
    echo: echoProtocol(),
  };
}

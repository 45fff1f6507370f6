// The servers of `up`, for the processes that serve.

import { echoProtocol } from '@wellknown/echo-udp';
import { ftpProtocol, memoryFileSystem, xferlog } from '@wellknown/ftp';
import { combinedLine, httpProtocol } from '@wellknown/http';
import { createDemoSession, telnetProtocol } from '@wellknown/telnet';
import type { UpProtocols } from './up-services.ts';
import { welcomeHandler } from './welcome-page.ts';

const FTP_README = `This is an FTP server with an example in memory. It is read-only.

To serve a folder of yours:             wellknown ftp ./folder
To let an account change its files:     wellknown ftp ./folder --account NAME:PASSWORD --write
`;

/** What the user gave for all of them. */
export interface UpOptions {
  readonly idleTimeoutMs?: number | undefined;
  /** Takes the lines of the access log. */
  readonly writeAccess?: ((line: string) => void) | undefined;
}

export function createUpProtocols(
  portOffset: number,
  startedAtMs: number,
  { idleTimeoutMs, writeAccess }: UpOptions = {},
): UpProtocols {
  const ports = { http: 80 + portOffset, ftp: 21 + portOffset, telnet: 23 + portOffset, echo: 7 + portOffset };
  const files = memoryFileSystem({
    files: { '/README.txt': FTP_README, '/pub/hello.txt': 'Hello from wellknown.\n' },
    wallMs: () => startedAtMs,
  });
  return {
    http: httpProtocol(welcomeHandler(ports), {
      // The page is an HttpResponse.
      preloadPlatformClasses: false,
      ...(idleTimeoutMs !== undefined && { limits: { idleTimeoutMs } }),
      ...(writeAccess !== undefined && { accessLog: (entry) => writeAccess(combinedLine(entry)) }),
    }),
    ftp: ftpProtocol({ fileSystem: files, ...(writeAccess !== undefined && xferlog(writeAccess)) }),
    telnet: telnetProtocol(createDemoSession()),
    echo: echoProtocol(),
  };
}

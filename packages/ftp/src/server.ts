import { createServer, type Server, type ServerOptions, type Service } from '@wellknown/core';
import { ftpProtocol, type FtpOptions } from './protocol.ts';

export interface FtpServerOptions extends ServerOptions, FtpOptions {
  /** Where to listen: `tcp://` endpoints. Default: port 21 on 127.0.0.1. */
  readonly listen?: Service['listen'];
}

/** An FTP server. Nothing is bound before `listen`. */
export function createFtpServer(options: FtpServerOptions): Server {
  const protocol = ftpProtocol(options);
  return createServer(options.listen === undefined ? { protocol } : { protocol, listen: options.listen }, options);
}

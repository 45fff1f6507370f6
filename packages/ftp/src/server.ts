import {
  createServer,
  requireKnownNames,
  SERVER_OPTION_NAMES,
  type Server,
  type ServerOptions,
  type Service,
} from '@wellknown/core';
import { ftpProtocol, type FtpOptions } from './protocol.ts';

export interface FtpServerOptions extends ServerOptions, FtpOptions {
  /** Where to listen: `2121`, `{ port: 2121, host: '::' }`, `tcp://` endpoints or a list of these. Default: port 21 on 127.0.0.1. */
  readonly listen?: Service['listen'];
}

// Checked by the compiler to be all of them.
const FTP_OPTIONS: Readonly<Record<keyof FtpOptions, true>> = {
  fileSystem: true,
  accounts: true,
  anonymous: true,
  authenticate: true,
  greeting: true,
  passivePorts: true,
  passiveAddress: true,
  active: true,
  session: true,
  bans: true,
  onTransfer: true,
};

/** An FTP server. Throws OPTION_INVALID for options that are unknown or wrong. Nothing is bound before `listen`. */
export function createFtpServer(options: FtpServerOptions): Server {
  const { listen, ...others } = options;
  requireKnownNames('option', options, [...SERVER_OPTION_NAMES, 'listen', ...Object.keys(FTP_OPTIONS)]);
  const serverOptions: ServerOptions = Object.fromEntries(
    Object.entries(others).filter(([name]) => !Object.hasOwn(FTP_OPTIONS, name)),
  );
  const protocol = ftpProtocol(options);
  return createServer(listen === undefined ? { protocol } : { protocol, listen }, serverOptions);
}

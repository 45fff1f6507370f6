import {
  createServer,
  requireKnownNames,
  SERVER_OPTION_NAMES,
  type Server,
  type ServerOptions,
  type Service,
  WellknownError,
} from '@wellknown/core';
import { ftpProtocol, type FtpOptions } from './protocol.ts';

export interface FtpServerOptions extends ServerOptions, FtpOptions {
  /**
   * Where to listen: `2121`, `{ port: 2121, host: '::' }`, `tcp://` endpoints or a list of these. Default: port 21 on
   * 127.0.0.1.
   */
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
  dataPeers: true,
  passiveAddress: true,
  active: true,
  requireTls: true,
  tlsSessionReuse: true,
  ascii: true,
  defaultType: true,
  checksums: true,
  hosts: true,
  siteCommands: true,
  hooks: true,
  charset: true,
  sessionRates: true,
  userLimits: true,
  serverRates: true,
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
  if (options.requireTls !== undefined && options.requireTls !== 'none' && options.tls === undefined)
    throw new WellknownError('OPTION_INVALID', `requireTls is '${options.requireTls}', which needs the option 'tls'`, {
      fault: 'local',
    });
  const protocol = ftpProtocol(options);
  return createServer(listen === undefined ? { protocol } : { protocol, listen }, serverOptions);
}

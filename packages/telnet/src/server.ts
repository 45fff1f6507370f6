import {
  createServer,
  requireKnownNames,
  SERVER_OPTION_NAMES,
  type Server,
  type ServerOptions,
  type Service,
  WellknownError,
} from '@wellknown/core';
import type { TelnetHandler } from './connection.ts';
import type { TelnetSettings } from './settings.ts';
import { telnetProtocol } from './protocol.ts';

export interface TelnetServerOptions extends ServerOptions {
  /**
   * Where to listen: `2323`, `{ port: 2323, host: '::1' }`, `'unix:/run/console'` or a list of these. Default: port 23
   * on 127.0.0.1.
   */
  readonly listen?: Service['listen'];
  /** What each session gets: its limits, and what its client is offered. What is left out keeps its default. */
  readonly session?: Partial<TelnetSettings>;
}

/** A telnet server that runs `handler` for each user. Nothing is bound before `listen`. Throws OPTION_INVALID. */
export function createTelnetServer(handler: TelnetHandler, options: TelnetServerOptions = {}): Server {
  requireKnownNames('option', options, [...SERVER_OPTION_NAMES, 'listen', 'session']);
  const { listen, session, ...rest } = options;
  if (session?.startTls !== undefined && session.startTls !== 'off' && rest.tls === undefined)
    throw new WellknownError('OPTION_INVALID', `session.startTls: '${session.startTls}' needs the option tls`, {
      fault: 'local',
    });
  const protocol = telnetProtocol(handler, session);
  return createServer(listen === undefined ? { protocol } : { protocol, listen }, rest);
}

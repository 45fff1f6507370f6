import {
  createServer,
  requireKnownNames,
  SERVER_OPTION_NAMES,
  type Server,
  type ServerOptions,
  type Service,
} from '@wellknown/core';
import { echoProtocol, type EchoOptions } from './protocol.ts';

export interface EchoServerOptions extends EchoOptions, ServerOptions {
  /**
   * Where to listen: `7007`, `{ port: 7007, host: '::1' }` (both UDP), `udp://…` for datagrams, `tcp://…` or `unix:…` for
   * streams, or a list of these. Default: port 7 of 127.0.0.1 over UDP.
   */
  readonly listen?: Service['listen'];
}

// Checked by the compiler to be all of them.
const ECHO_OPTIONS: Readonly<Record<keyof EchoOptions, true>> = {
  ratePerSource: true,
  totalRate: true,
  maxUnbrokenAnswers: true,
  maxSources: true,
  minSourcePort: true,
  maxDatagramBytes: true,
};

/**
 * An echo server with the verbs that every server has. Nothing is bound before `listen`. Throws OPTION_INVALID for
 * options that are unknown or wrong.
 */
export function createEchoServer(options: EchoServerOptions = {}): Server {
  const { listen, ...others } = options;
  requireKnownNames('option', options, [...SERVER_OPTION_NAMES, 'listen', ...Object.keys(ECHO_OPTIONS)]);
  const serverOptions: ServerOptions = Object.fromEntries(
    Object.entries(others).filter(([name]) => !Object.hasOwn(ECHO_OPTIONS, name)),
  );
  return createServer({ protocol: echoProtocol(others), ...(listen === undefined ? {} : { listen }) }, serverOptions);
}

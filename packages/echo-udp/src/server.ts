import { createServer, requireKnownNames, SERVER_OPTION_NAMES, type Server, type ServerOptions } from '@wellknown/core';
import { echoProtocol, type EchoOptions } from './protocol.ts';

export interface EchoServerOptions extends EchoOptions, ServerOptions {
  /** `udp://…` for datagrams, `tcp://…` or `unix:…` for streams. Default: port 7 of 127.0.0.1 over UDP. */
  readonly listen?: string | readonly string[];
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
  const { listen = 'udp://127.0.0.1:7', ...others } = options;
  requireKnownNames('option', options, [...SERVER_OPTION_NAMES, 'listen', ...Object.keys(ECHO_OPTIONS)]);
  const serverOptions: ServerOptions = Object.fromEntries(
    Object.entries(others).filter(([name]) => !Object.hasOwn(ECHO_OPTIONS, name)),
  );
  return createServer({ protocol: echoProtocol(others), listen }, serverOptions);
}

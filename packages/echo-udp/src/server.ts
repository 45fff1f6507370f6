import { createServer, type Server, type ServerOptions } from '@wellknown/core';
import { echoProtocol, type EchoOptions } from './protocol.ts';

export interface EchoServerOptions extends EchoOptions, ServerOptions {
  /** `udp://…` for datagrams, `tcp://…` or `unix:…` for streams. Default: port 7 of 127.0.0.1 over UDP. */
  readonly listen?: string | readonly string[];
}

/** An echo server with the verbs that every server has. Nothing is bound before `listen`. */
export function createEchoServer(options: EchoServerOptions = {}): Server {
  const { listen = 'udp://127.0.0.1:7', ...rest } = options;
  return createServer({ protocol: echoProtocol(rest), listen }, rest);
}

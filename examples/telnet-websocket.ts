// One telnet session for clients of telnet and of WebSocket: `node telnet-websocket.ts tcp://127.0.0.1:8080
// https://client.example`. Web clients for multi-user worlds speak telnet in binary messages, and say so by the subprotocol
// `telnet`. Only pages of the origins that are named may connect.
import { connect } from 'node:net';
import { pipeline } from 'node:stream';
import { createHttpServer, HttpResponse, type FetchHandler } from '@wellknown/http';
import { createDemoSession, createTelnetServer, type TelnetHandler } from '@wellknown/telnet';
import { createWebSocketStream, WebSocketServer } from 'ws';

const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 65_536,
  handleProtocols: (protocols) => protocols.has('telnet') && 'telnet',
});

/**
 * Carries each WebSocket to the telnet server at `path`, so that the limits of a session hold for them too; those by address
 * are the HTTP server's.
 *
 * A browser lets any page connect to any server, also to one on its user's own machine, and says which page it is by Origin
 * (RFC 6455 §10.2): those that are not among `origins` are refused. Clients that are no browsers send none.
 */
export const bridgeTo =
  (path: string, origins: readonly string[]): FetchHandler =>
  (request, context) => {
    const origin = request.headers.get('origin');
    if (origin !== null && !origins.includes(origin))
      return new HttpResponse('pages of this origin may not connect\n', { status: 403 });
    const protocols = request.headers.get('sec-websocket-protocol')?.split(/\s*,\s*/) ?? [];
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket' || !protocols.includes('telnet'))
      return new HttpResponse('a WebSocket with the subprotocol telnet is served here\n', {
        status: 426,
        headers: { Upgrade: 'websocket' },
      });
    const { incoming, stream, head, response } = context.upgrade();
    sockets.handleUpgrade(incoming, stream, head, (socket) => {
      const web = createWebSocketStream(socket);
      const telnet = connect({ path });
      // Each way ends the other; a peer that breaks off is no fault of ours.
      pipeline(web, telnet, () => socket.close());
      pipeline(telnet, web, () => telnet.destroy());
    });
    return response;
  };

/** Serves both: telnet at `telnet`, WebSocket for pages of `origins` at `web`. */
export async function serveBoth(handler: TelnetHandler, telnet: string, web: string, origins: readonly string[] = []) {
  // An abstract name is this machine's own, and holds the process id.
  const name = `wellknown-example-telnet-${process.pid}`;
  const telnetServer = createTelnetServer(handler, { listen: [telnet, `unix:@${name}`] });
  const httpServer = createHttpServer(bridgeTo(`\0${name}`, origins), { listen: web });
  return { telnetServer, httpServer, bound: [...(await telnetServer.listen()), ...(await httpServer.listen())] };
}

const [, , web, ...origins] = process.argv;
if (web !== undefined) await serveBoth(createDemoSession(), 'tcp://127.0.0.1:8023', web, origins);

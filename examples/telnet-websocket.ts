// One telnet session for clients of telnet and of WebSocket: `node telnet-websocket.ts tcp://127.0.0.1:8080`. Web
// clients for multi-user worlds speak telnet in binary messages, and say so by the subprotocol `telnet`.
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

/** Carries each WebSocket to the telnet server at `path`, so that the limits of a session hold for them too; those by address are the HTTP server's. */
export const bridgeTo =
  (path: string): FetchHandler =>
  (request, context) => {
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

/** Serves both: telnet at `telnet`, WebSocket at `web`. */
export async function serveBoth(handler: TelnetHandler, telnet: string, web: string) {
  // An abstract name is this machine's own, and holds the process id.
  const name = `wellknown-example-telnet-${process.pid}`;
  const telnetServer = createTelnetServer(handler, { listen: [telnet, `unix:@${name}`] });
  const httpServer = createHttpServer(bridgeTo(`\0${name}`), { listen: web });
  return { telnetServer, httpServer, bound: [...(await telnetServer.listen()), ...(await httpServer.listen())] };
}

if (process.argv[2] !== undefined) await serveBoth(createDemoSession(), 'tcp://127.0.0.1:8023', process.argv[2]);

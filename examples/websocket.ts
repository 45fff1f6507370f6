// WebSocket by the upgrade that a handler may ask for: `ws` answers the upgrade and speaks from there on.
// `node websocket.ts tcp://127.0.0.1:8080` serves a page, and an echo for what connects from it.
import { createHttpServer, HttpResponse, type FetchHandler } from '@wellknown/http';
import { WebSocketServer } from 'ws';

const PAGE = `<!doctype html>
<meta charset="utf-8"><title>Echo</title>
<input autofocus placeholder="Say something, then Enter"><pre></pre>
<script>
  const socket = new WebSocket(location.href.replace('http', 'ws'));
  const print = (text) => { document.querySelector('pre').textContent += text + '\\n' };
  socket.onmessage = ({ data }) => print(data);
  socket.onclose = () => print('closed');
  document.querySelector('input').onchange = ({ target }) => { socket.send(target.value); target.value = '' };
</script>
`;

// A message is held in memory whole, so its size is a decision.
const sockets = new WebSocketServer({ noServer: true, maxPayload: 65_536 });

export const handler: FetchHandler = (request, context) => {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket')
    return new HttpResponse(PAGE, { headers: { 'Content-Type': 'text/html;charset=utf-8' } });
  const { incoming, stream, head, response } = context.upgrade();
  sockets.handleUpgrade(incoming, stream, head, (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    // A peer that breaks the protocol has been told why and disconnected by now.
    socket.on('error', () => undefined);
  });
  return response;
};

if (process.argv[2] !== undefined) {
  const server = createHttpServer(handler, { listen: process.argv[2] });
  const [bound] = await server.listen();
  console.log(`listening ${bound?.url ?? ''}`);
}

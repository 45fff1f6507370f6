// A connection that a handler has taken over, as the stream and the request that libraries for node:http expect.

import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Connection } from '@wellknown/core';
import { ConnectionStream } from '../exchange/connection-stream.ts';
import { readFields } from '../semantics/fields.ts';
import type { UpgradedConnection } from '../handler.ts';
import type { RequestHead } from '../semantics/request-head.ts';
import { responseOf } from '../fetch/response.ts';

/** Replaces the connection's sink. `head` are bytes that came after the request. */
export function upgradeConnection(connection: Connection, request: RequestHead, head: Uint8Array): UpgradedConnection {
  const stream = new ConnectionStream(connection);
  // The connection's own idle limit goes on; deadlines were for requests.
  connection.setDeadline(0);
  connection.attach(stream.sink);
  if (head.length > 0) stream.sink.data(head);
  connection.resume();
  const placeholder: unknown = responseOf(null);
  return { stream, head: Buffer.alloc(0), incoming: incomingOf(request, stream), response: placeholder as Response };
}

function incomingOf(request: RequestHead, stream: Duplex): IncomingMessage {
  // The class asks for a socket and uses only what every stream has.
  const socket: unknown = stream;
  const incoming = new IncomingMessage(socket as Socket);
  incoming.method = request.method;
  incoming.url = request.target;
  incoming.httpVersion = '1.1';
  incoming.httpVersionMajor = 1;
  incoming.httpVersionMinor = 1;
  incoming.complete = true;
  for (const [name, value] of readFields(request.fieldLines)) {
    incoming.rawHeaders.push(name, value);
    const before = incoming.headers[name];
    incoming.headers[name] = typeof before === 'string' ? `${before}, ${value}` : value;
  }
  return incoming;
}

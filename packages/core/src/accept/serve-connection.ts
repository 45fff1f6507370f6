import { formatAddress } from '../address/address.ts';
import type { Connection } from '../connection/connection.ts';
import { WellknownError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Protocol, ServiceContext } from '../protocol.ts';

/**
 * Gives an accepted connection to its protocol, by `open` or by `connection`, whichever the protocol has. A handler
 * that throws ends only its connection.
 */
export function serveConnection(protocol: Protocol, connection: Connection, context: ServiceContext): void {
  try {
    if (protocol.open !== undefined) {
      connection.attach(protocol.open(connection, context));
      return;
    }
    if (protocol.connection === undefined) {
      connection.destroy('aborted');
      return;
    }
    const done = protocol.connection(connection, context);
    if (done === undefined) connection.end();
    else
      done.then(
        () => connection.end(),
        (error: unknown) => handlerFailed(protocol, connection, context, error),
      );
  } catch (error) {
    handlerFailed(protocol, connection, context, error);
  }
}

function handlerFailed(protocol: Protocol, connection: Connection, context: ServiceContext, error: unknown): void {
  // A peer that vanished or was cut off in the middle of a read or write is no fault of the handler.
  if (connection.state === 'closed' || connection.reason !== undefined) return;
  if (error instanceof WellknownError && error.fault === 'remote') {
    // A line without an end is the peer's doing: the handler need not catch it.
    context.log.debug(
      { err: error, protocol: protocol.name, connection: connection.id },
      'the peer broke the protocol',
    );
    connection.end(undefined, 'latin1', 'protocol-error');
    return;
  }
  connection.destroy('handler-failed', error instanceof Error ? error : new Error(String(error)));
}

/**
 * For the owner of a connection that has closed: a failed protocol is logged once, in whichever way it failed. One
 * that ended the connection itself, without an error, has logged what it knows of it.
 */
export function logFailedHandler(protocol: Protocol, connection: Connection, log: Logger): void {
  if (connection.reason !== 'handler-failed' || connection.error === undefined) return;
  log.error(
    {
      err: connection.error,
      protocol: protocol.name,
      connection: connection.id,
      peer: formatAddress(connection.remote),
    },
    'the handler failed',
  );
}

/**
 * For a handler that does not await its writes: it can't know that the peer is gone. It forgets that for every
 * connection, so one line is enough.
 */
export function onceDroppedWrite(protocol: Protocol, log: Logger): (connection: Connection, error: unknown) => void {
  let hasWarned = false;
  return (connection, error) => {
    if (hasWarned) return;
    hasWarned = true;
    log.warn(
      {
        err: error,
        protocol: protocol.name,
        connection: connection.id,
        peer: formatAddress(connection.remote),
      },
      'a write failed and the handler does not await it; this is said once',
    );
  };
}

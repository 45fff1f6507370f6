// Leaving out the session tickets that TLS 1.3 sends behind a handshake.
//
// OpenSSL sends none when the callback that gives the key for a ticket answers 0 (SSL_CTX_set_tlsext_ticket_key_cb(3)).
// Node has no option for it, but hands that callback on to JavaScript, and then the whole of it: the key that a ticket
// is opened with comes from here too.
//
// Undocumented, therefore guarded: where it is missing, a clear error says so.

import { randomBytes } from 'node:crypto';
import type tls from 'node:tls';
import { WellknownError } from '../errors.ts';

type TicketAnswer = readonly [verdict: number, hmacKey: Buffer, aesKey: Buffer, name?: Buffer, iv?: Buffer];
interface RawContext {
  enableTicketKeyCallback?(): void;
  onticketkeycallback?: (name: Buffer, iv: Buffer, isNew: boolean) => TicketAnswer;
}

// What OpenSSL is told.
const NO_TICKET = 0;
const USE_KEY = 1;

const rawContextOf = ({ context }: tls.SecureContext): RawContext => context as RawContext;

/**
 * Prepares a context: once `askForTickets` has been called for it, or for the one that a handshake began with, it gives no
 * ticket while `isWithheld`. `ticketKeys` are those of the context: name, HMAC key and AES key, 16 bytes each.
 */
export function answerForTickets(context: tls.SecureContext, ticketKeys: Buffer, isWithheld: () => boolean): void {
  const [name, hmacKey, aesKey] = [ticketKeys.subarray(0, 16), ticketKeys.subarray(16, 32), ticketKeys.subarray(32)];
  rawContextOf(context).onticketkeycallback = (ticketName, _iv, isNew) => {
    if (isNew) return [isWithheld() ? NO_TICKET : USE_KEY, hmacKey, aesKey, name, randomBytes(16)];
    return [ticketName.equals(name) ? USE_KEY : NO_TICKET, hmacKey, aesKey];
  };
}

/** Has OpenSSL ask about every ticket of handshakes that begin with this context. Throws UNSUPPORTED where Node can't. */
export function askForTickets(context: tls.SecureContext): void {
  const raw = rawContextOf(context);
  if (raw.enableTicketKeyCallback === undefined)
    throw new WellknownError('UNSUPPORTED', 'this Node offers no way to leave out session tickets', {
      fault: 'system',
      hint: 'use a Node version that the README names',
    });
  raw.enableTicketKeyCallback();
}

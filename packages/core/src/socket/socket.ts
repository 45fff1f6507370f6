import { invalidArgument } from '../arguments.ts';
import { requireKnownNames } from '../option-names.ts';
import { StreamSocket, type StreamSocketOptions } from './stream-socket.ts';
import { UdpSocket, type UdpSocketOptions } from './udp-socket.ts';

const OPTION_NAMES = { stream: ['limits', 'onState'], datagram: ['maxQueued', 'onState'] };

/**
 * A socket without a name, as socket(2) makes one. The system call itself comes with the first address, which decides
 * the family: tcp or unix for streams, udp for datagrams.
 */
export function socket(type: 'stream', options?: StreamSocketOptions): StreamSocket;
export function socket(type: 'datagram', options?: UdpSocketOptions): UdpSocket;
export function socket(
  type: 'stream' | 'datagram',
  options: StreamSocketOptions | UdpSocketOptions = {},
): StreamSocket | UdpSocket {
  // From JavaScript anything may come.
  if (!['stream', 'datagram'].includes(type)) throw invalidArgument('socket', 'type', type, 'stream, datagram');
  requireKnownNames(`option of a ${type} socket`, options, OPTION_NAMES[type]);
  return type === 'stream' ? new StreamSocket(options as StreamSocketOptions) : new UdpSocket(options);
}

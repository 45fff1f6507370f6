// The peer: the shortest echo that node:dgram allows, with no defence at all.
import { createSocket } from 'node:dgram';

const socket = createSocket('udp4');
socket.on('message', (message, source) => socket.send(message, source.port, source.address));
socket.bind(0, '127.0.0.1', () => console.log(`port ${socket.address().port}`));

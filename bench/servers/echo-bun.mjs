// The peer: Bun's own datagram sockets, run by bun.
/* global Bun */
const socket = await Bun.udpSocket({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    data: (own, message, port, address) => own.send(message, port, address),
    // The load generator of the round before has gone: without this, Bun prints the refusals.
    error: () => undefined,
  },
});
console.log(`port ${socket.port}`);

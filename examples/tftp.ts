// RFC 1350: gives files to any client, and takes none. `node tftp.ts udp://127.0.0.1:8069 FOLDER` serves the files of
// a folder.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { defineProtocol, serve, type DatagramPeer, type Protocol } from '@wellknown/core';

const READ_REQUEST = 1;
const DATA = 3;
const ACKNOWLEDGEMENT = 4;
const ERROR = 5;
const BLOCK_BYTES = 512;

/** Sends one block until it is acknowledged, five times at most. */
async function deliver(peer: DatagramPeer, block: number, bytes: Uint8Array): Promise<boolean> {
  const message = Buffer.concat([Buffer.of(0, DATA, (block >> 8) & 255, block & 255), bytes]);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    peer.send(message);
    // An old acknowledgement is no reason to send again (RFC 1123 §4.2.3.1).
    for (let answer = await peer.read(1_000); answer !== undefined; answer = await peer.read(1_000)) {
      if (answer[1] === ERROR) return false;
      if (answer[1] === ACKNOWLEDGEMENT && answer[2] === message[2] && answer[3] === message[3]) return true;
    }
  }
  return false;
}

async function sendFile(peer: DatagramPeer, content: Uint8Array): Promise<void> {
  // A block shorter than 512 bytes is the last one, so a file of full blocks ends with an empty one.
  for (let block = 1, at = 0; at <= content.length; block += 1, at += BLOCK_BYTES) {
    if (!(await deliver(peer, block, content.subarray(at, at + BLOCK_BYTES)))) return;
  }
}

export const tftp = (folder: string): Protocol =>
  defineProtocol({
    name: 'tftp',
    port: 69,
    datagrams: (socket) => async (request, source) => {
      if (request[1] !== READ_REQUEST) return;
      const [name = ''] = Buffer.from(request.subarray(2)).toString('latin1').split('\0');
      const peer = await socket.connect(source);
      const content = await readFile(path.join(folder, path.basename(name))).catch(() => undefined);
      if (content === undefined)
        peer.send(Buffer.from(`\0${String.fromCharCode(ERROR)}\0\x01File not found\0`, 'latin1'));
      else await sendFile(peer, content);
      peer.close();
    },
  });

const [, , endpoint, folder = '.'] = process.argv;
if (endpoint !== undefined) {
  const server = await serve(tftp(folder), { listen: endpoint, workers: 2 });
  if (server.role === 'primary') console.log('ready');
}

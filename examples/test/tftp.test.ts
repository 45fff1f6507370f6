// The example of a datagram protocol, spoken to by clients of others.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serve, type Server } from '@wellknown/core';
import { lacks, startProgram, unusedAddress } from '@wellknown/core/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programArguments } from '../../test/programs.ts';
import { tftp } from '../tftp.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-tftp-'));
const CONTENTS: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  'short.txt': Buffer.from('hello\n'),
  'two-full-blocks': Buffer.alloc(1_024, 'x'),
  large: Buffer.from(Uint8Array.from({ length: 300_001 }, (_, index) => index * 31)),
};

let server: Server;
let port: string;
beforeAll(async () => {
  for (const [name, content] of Object.entries(CONTENTS)) writeFileSync(path.join(folder, name), content);
  server = await serve(tftp(folder), { listen: 'udp://127.0.0.1:0' });
  port = (await server.status()).services[0]?.endpoints[0]?.split(':').at(-1) ?? '';
});
afterAll(async () => {
  await server.close({ graceMs: 0 });
  rmSync(folder, { recursive: true });
});

function run(command: string, args: readonly string[]): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('latin1').on('data', (text: string) => (output += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ status: code ?? -1, output }));
  });
}

const CLIENTS: Readonly<Record<string, (name: string, into: string) => string[]>> = {
  curl: (name, into) => ['-sS', '-o', into, `tftp://127.0.0.1:${port}/${name}`],
  tftp: (name, into) => ['-m', 'octet', '127.0.0.1', port, '-c', 'get', name, into],
};

for (const [client, argumentsFor] of Object.entries(CLIENTS)) {
  test.skipIf(lacks(client)).each(Object.keys(CONTENTS))(`${client} gets %s, byte for byte`, async (name) => {
    const into = path.join(folder, `${client}-${name}`);
    writeFileSync(into, '');
    await run(client, argumentsFor(name, into));
    expect(Buffer.compare(readFileSync(into), CONTENTS[name] ?? Buffer.of())).toBe(0);
  });
}

test('the example serves from worker processes, as its head says', async () => {
  const { host, port: unused } = await unusedAddress();
  const endpoint = `udp://${host}:${unused}`;
  const program = await startProgram([...programArguments('examples/tftp.ts'), endpoint, folder]);
  const into = path.join(folder, 'from-a-worker');
  await run('curl', ['-sS', '-o', into, `${endpoint.replace('udp', 'tftp')}/large`]);
  await program.stop();
  expect(Buffer.compare(readFileSync(into), CONTENTS.large ?? Buffer.of())).toBe(0);
});

test('a file that is not there is an error that the client hears, and no path leads out of the folder', async () => {
  for (const name of ['nothing', '..%2f..%2f..%2fetc%2fpasswd']) {
    // 68 is curl's "file not found on TFTP server".
    expect((await run('curl', ['-sS', `tftp://127.0.0.1:${port}/${name}`])).status).toBe(68);
  }
});
